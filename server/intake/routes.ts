// `POST /v1/events`.
import { parseJson, unpack } from "../http/body.ts";
import { isJsonBody } from "../http/media-type.ts";
import { Problem, problemDocument } from "../http/problem.ts";
import type { Answer, Call, Route } from "../http/route.ts";
import { codecOf } from "../protobuf/messages.ts";
import { readBatch, type Batch } from "./batch.ts";
import { binaryReader, PROTOBUF_TYPE } from "./binary-body.ts";
import type { Connection, Enricher } from "./enrich/enrich.ts";
import type { Intake, IntakeAnswer } from "./intake.ts";

const answerCodec = codecOf("IntakeAnswer");

export function intakeRoutes(intake: Intake, enricher: Enricher): Route[] {
  return [{ method: "POST", path: "/v1/events", access: "collect", crossOrigin: true, handle: postEvents }];

  function postEvents(call: Call): Promise<Answer> | Answer {
    const { headers, body } = call;
    intake.checkRoom(call.project, body?.length ?? 0);
    const mediaType = headers["content-type"];
    const encoding = headers["content-encoding"];
    if (!isJsonBody(mediaType)) return postBinary(call, mediaType!);
    if (encoding === undefined || body === null) return takeBody(call, body);
    return unpack(body, encoding).then((bytes) => takeBody(call, bytes));
  }

  async function postBinary(call: Call, mediaType: string): Promise<Answer> {
    const read = binaryReader(mediaType);
    if (read === undefined) {
      throw new Problem(
        "unsupported_media_type",
        "Send JSON as application/json or text/plain, application/x-protobuf, or application/avro.",
      );
    }
    const { headers, body } = call;
    const encoding = headers["content-encoding"];
    const bytes = encoding === undefined || body === null ? body : await unpack(body, encoding);
    return take(call, await read(bytes), bytes?.length ?? 0);
  }

  function takeBody(call: Call, body: Buffer | null): Promise<Answer> {
    return take(call, readBatch(parseJson(body)), body?.length ?? 0);
  }

  async function take(call: Call, batch: Batch, sizeBytes: number): Promise<Answer> {
    const sender = enricher.sender(connectionOf(call));
    const options = { sender, sizeBytes, source: "http", keepRejected: true };
    const answer = intakeAnswer(await intake.take(call.project, batch, options), batch.raws.length);
    return answer.status === 202 && wantsProtobuf(call) ? protobufAnswer(answer) : answer;
  }
}

function connectionOf({ address, headers, principal }: Call): Connection {
  return { address, userAgent: headers["user-agent"], gpc: headers["sec-gpc"], isTrusted: principal.may("read") };
}

function wantsProtobuf({ headers }: Call): boolean {
  const { accept } = headers;
  return accept !== undefined && /application\/(x-)?protobuf/i.test(accept);
}

function protobufAnswer({ status, json }: Answer): Answer {
  const bytes = answerCodec.encode(json as Record<string, unknown>);
  return { status, bytes, headers: { "content-type": PROTOBUF_TYPE } };
}

/** 202, or where nothing was good a 400 that is a problem document with the same members. */
export function intakeAnswer(answer: IntakeAnswer, sent: number): Answer {
  if (sent === 0 || answer.rejected.length < sent) return { status: 202, json: answer };
  const detail = sent === 1 ? answer.rejected[0]!.message : `All ${sent} events were rejected.`;
  const problem = new Problem("events_rejected", detail, { members: { ...answer } });
  return {
    status: problem.status,
    json: problemDocument(problem),
    headers: { "content-type": "application/problem+json; charset=utf-8" },
  };
}
