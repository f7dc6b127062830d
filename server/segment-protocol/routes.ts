// The Segment tracking protocol: the public web, mobile and server SDKs that speak it work unchanged, once their host
// is this node. https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
import { isJsonBody } from "../http/media-type.ts";
import { BODY_BYTES_MAX, isObject, parseJson, unpack, UNPACKED_BYTES_MAX } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { BATCH_EVENTS_MAX } from "../intake/batch.ts";
import { type Enricher, marksOf, type Sender } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import { keptBody } from "../intake/kept-body.ts";
import type { PersonRef } from "../../core/record.ts";
import type { Project } from "../ports.ts";
import { ATTRIBUTES_MAX } from "../serve/attributes.ts";
import { writeKeyOf } from "./credentials.ts";
import { objectOf, readMessages, type Message, type MessageType } from "./message.ts";
import { segmentSettings } from "./settings.ts";
import { partsRoom, saidAtMs, translate, type Note } from "./translate.ts";

/** Each path, with the type of its message; a batch names the type in each. Letters are the web SDK's. */
const PATHS: Readonly<Record<string, MessageType | undefined>> = {
  "/v1/batch": undefined,
  "/v1/b": undefined,
  "/v1/import": undefined,
  "/v1/track": "track",
  "/v1/t": "track",
  "/v1/page": "page",
  "/v1/p": "page",
  "/v1/screen": "screen",
  "/v1/s": "screen",
  "/v1/identify": "identify",
  "/v1/i": "identify",
  "/v1/alias": "alias",
  "/v1/a": "alias",
  "/v1/group": "group",
  "/v1/g": "group",
};

/** JSON all the same: RudderStack's Node SDK hands its gzipped bytes to a client that calls them so. */
const MISLABELLED = /^application\/x-www-form-urlencoded\s*(;|$)/i;

interface EventsStep {
  kind: "events";
  raws: Record<string, unknown>[];
  senders: Sender[];
  sizeBytes: number;
}
/** Events and changes of one request, in the messages' order: neighbours of a kind go to the host together. */
type Step = EventsStep | { kind: "change"; change: Change } | { kind: "note"; note: Note; body: unknown };
type Change = Parameters<Project["setAttributes"]>;

/** Of the further products of an order, one click of a hand: nothing of the connection goes into them but who is answerable. */
const partOf = ({ source }: Sender): Sender => ({ kind: "library", context: {}, ...(source === undefined ? {} : { source }) });

/** Two changes of one person as one; undefined where they are of two, or set more at once than a change may. */
function joinedOf([before, set]: Change, ref: PersonRef, attributes: Record<string, unknown>): Change | undefined {
  if (before.user_id !== ref.user_id || before.anonymous_id !== ref.anonymous_id) return undefined;
  const all = { ...set, ...attributes };
  return Object.keys(all).length > ATTRIBUTES_MAX ? undefined : [ref, all];
}

const emptyStep = (): EventsStep => ({ kind: "events", raws: [], senders: [], sizeBytes: 0 });

export function segmentRoutes(intake: Intake, enricher: Enricher): Route[] {
  return [
    ...Object.entries(PATHS).map(([path, type]): Route => ({
      method: "POST",
      path,
      access: "collect",
      keyInBody: true,
      crossOrigin: true,
      handle: (call) => receive(call, type),
    })),
    { method: "GET", path: "/v1/projects/{write_key}/settings", access: "public", crossOrigin: true, handle: segmentSettings },
  ];

  async function receive(call: Call, type: MessageType | undefined): Promise<Answer> {
    const { headers } = call;
    const mediaType = headers["content-type"];
    if (!isJsonBody(mediaType) && !MISLABELLED.test(mediaType!)) {
      throw new Problem("unsupported_media_type", "Send application/json or text/plain with JSON in it.");
    }
    const encoding = headers["content-encoding"];
    // A beacon, whose key is in the body, is never packed: who has shown no key has no more unpacked than he may send.
    const bytesMax = call.isAdmitted ? UNPACKED_BYTES_MAX : BODY_BYTES_MAX;
    const bytes = encoding === undefined || call.body === null ? call.body : await unpack(call.body, encoding, bytesMax);
    const body = parseJson(bytes);
    if (!isObject(body)) throw new Problem("bad_json", "The body must be a JSON object.", { pointer: "" });
    call.showKey(writeKeyOf(headers, body));
    const { project } = call;
    const messages = readMessages(body, type);
    const sizeBytes = (bytes?.length ?? 0) / Math.max(1, messages.length);
    for (const step of stepsOf(messages, call, sizeBytes)) await take(project, step, call);
    // As Segment answers: what was refused, and why, is in the dead letters.
    return ok({ success: true });
  }

  /** One after the other, so that what a batch says first happens first. Rejects where the host takes no more. */
  async function take(project: Project, step: Step, call: Call): Promise<void> {
    if (step.kind === "change") return void (await project.setAttributes(...step.change));
    if (step.kind === "note") {
      if (!intake.counts(project).quota.take(call.nowMs)) return;
      const letter = { ...step.note, source: "segment", body: keptBody(step.body), ...marksOf(connectionOf(call)) };
      return void (await project.submit({ events: [], deadLetters: [letter] }));
    }
    const sender = connectionOf(call);
    await intake.take(project, step, { sender, sizeBytes: step.sizeBytes, source: "segment", keepRejected: true });
  }

  function* stepsOf(messages: readonly Message[], call: Call, sizeBytes: number): Generator<Step> {
    let events = emptyStep();
    let change: Change | undefined;
    const room = partsRoom();
    for (const message of messages) {
      const translated = translate(message, call.nowMs, room);
      if (translated.change !== undefined) {
        // From before the person was erased, out of some queue: as with events, nobody begins anew by it.
        if (call.project.wasErased(translated.change.ref, saidAtMs(message, call.nowMs))) continue;
        if (events.raws.length > 0) yield events;
        events = emptyStep();
        const { ref, attributes } = translated.change;
        const joined = change === undefined ? undefined : joinedOf(change, ref, attributes);
        if (change !== undefined && joined === undefined) yield { kind: "change", change };
        change = joined ?? [ref, attributes];
      }
      if (translated.events.length > 0) {
        if (change !== undefined) yield { kind: "change", change };
        change = undefined;
        if (events.raws.length + translated.events.length > BATCH_EVENTS_MAX) {
          yield events;
          events = emptyStep();
        }
        const sender = senderOf(message, call);
        for (const [index, raw] of translated.events.entries()) {
          const isPart = index > 0 && sender.kind === "browser";
          events.raws.push(isPart ? { ...raw, context: { ...sender.context, ...objectOf(raw["context"]) } } : raw);
          events.senders.push(isPart ? partOf(sender) : sender);
        }
        events.sizeBytes += sizeBytes;
      }
      if (translated.note !== undefined) yield { kind: "note", note: translated.note, body: message.fields };
    }
    if (change !== undefined) yield { kind: "change", change };
    if (events.raws.length > 0) yield events;
  }

  function connectionOf(call: Call): Sender {
    const { address, headers, principal } = call;
    const isTrusted = principal.may("read");
    return enricher.sender({ address, userAgent: headers["user-agent"], gpc: headers["sec-gpc"], isTrusted });
  }

  /** The visitor's browser: the one that sends, or the one that a backend passes the user agent and address of. */
  function senderOf({ fields }: Message, call: Call): Sender {
    const connection = connectionOf(call);
    const { userAgent, ip } = objectOf(fields["context"]);
    if (connection.kind !== "library" || typeof userAgent !== "string") return connection;
    // The backend's own address says nothing about the visitor; but with a public key anybody may say any address.
    const visitor = enricher.sender({ address: typeof ip === "string" ? ip : "", userAgent });
    return connection.source === undefined ? visitor : { ...visitor, source: connection.source };
  }
}
