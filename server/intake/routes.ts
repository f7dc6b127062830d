// `POST /v1/events`.
import { parseJson, unpack } from "../http/body.ts";
import { isJsonBody } from "../http/media-type.ts";
import { Problem, problemDocument } from "../http/problem.ts";
import type { Answer, Call, Route } from "../http/route.ts";
import { readBatch } from "./batch.ts";
import type { Enricher } from "./enrich/enrich.ts";
import type { Intake, IntakeAnswer } from "./intake.ts";

export function intakeRoutes(intake: Intake, enricher: Enricher): Route[] {
  return [{ method: "POST", path: "/v1/events", crossOrigin: true, handle: postEvents }];

  function postEvents(call: Call): Promise<Answer> | Answer {
    const { headers, body } = call;
    if (!isJsonBody(headers["content-type"])) {
      throw new Problem("unsupported_media_type", "Send application/json or text/plain with JSON in it.");
    }
    const encoding = headers["content-encoding"];
    if (encoding === undefined || body === null) return takeBody(call, body);
    return unpack(body, encoding).then((bytes) => takeBody(call, bytes));
  }

  async function takeBody(call: Call, body: Buffer | null): Promise<Answer> {
    const batch = readBatch(parseJson(body));
    const sender = enricher.sender({ address: call.address, userAgent: call.headers["user-agent"] });
    const answer = await intake.take(call.project, batch, {
      sender,
      sizeBytes: body?.length ?? 0,
      source: "http",
      keepRejected: true,
    });
    return intakeAnswer(answer, batch.raws.length);
  }
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
