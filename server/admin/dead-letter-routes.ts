// Dead letters: what was refused and why, and another try, as it was or corrected.
import { setImmediate as pause } from "node:timers/promises";
import { parseTimestamp } from "../../core/event/time.ts";
import type { DeadLetter, PersonRef } from "../../core/record.ts";
import { isObject } from "../http/body.ts";
import { readValue } from "../http/json-body.ts";
import { requireJsonType } from "../http/media-type.ts";
import { fromQuery, ID_CHARS_MAX, integer, optionalText, pathText, personRef, type Source } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { senderOfMarks } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import { intakeAnswer } from "../intake/routes.ts";
import { textsOf } from "../privacy/belonging.ts";
import { WEBHOOK_FAILED, type WebhookSender } from "../webhooks/sender.ts";

/** Letters that a request with a filter looks at, in reads of so many: 5,000 of 470 bytes took 73 ms (measured, embedded). */
const LOOKED_AT_MAX = 5_000;
const READ_AT_ONCE = 100;
/** An event's names and those of a Segment call. */
const ID_FIELDS = { user_id: ["user_id", "userId"], anonymous_id: ["anonymous_id", "anonymousId"] } as const;

export function deadLetterRoutes(intake: Intake, webhooks: WebhookSender): Route[] {
  return [
    { method: "GET", path: "/v1/dead-letters", access: "read", persons: true, handle: readDeadLetters },
    { method: "POST", path: "/v1/dead-letters/{id}/retry", access: "operate", handle: retry },
  ];

  async function retry(call: Call): Promise<Answer> {
    const { project } = call;
    const corrected = call.body !== null && call.body.length > 0;
    if (corrected) requireJsonType(call);
    const id = pathText(call, "id");
    const letter = await project.deadLetter(id);
    if (letter === undefined || letter.resolved === true) {
      throw new Problem("unknown_dead_letter", "There is no such dead letter, or it has been dealt with.", {
        parameter: "id",
      });
    }
    if (letter.code === WEBHOOK_FAILED) {
      webhooks.retry(project, letter.body);
      await project.resolveDeadLetter(id);
      return ok({ accepted: 1, duplicates: 0, rejected: [] });
    }
    const given = corrected ? await readValue(call) : undefined;
    const raw = given === undefined || isEmpty(given) ? letter.body : given;
    const answer = await intake.take(
      project,
      { raws: [eventOf(raw, letter, call.nowMs)] },
      {
        // Whoever retries is not who sent it: nothing about the visitor follows from this connection.
        sender: senderOfMarks(letter.sender ?? {}),
        sizeBytes: call.body?.length ?? 0,
        source: letter.source,
        keepRejected: false,
      },
    );
    if (answer.rejected.length > 0) return intakeAnswer(answer, 1);
    await project.resolveDeadLetter(id);
    return ok(answer);
  }
}

/** Clients that send JSON with every POST send this where they mean no body. */
function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/**
 * The event of a letter. One without an `event_id` takes the letter's, or the one that its line of a file has whenever it is
 * imported: two tries at once, or a try and another import, count it once. Its `sent_at` is moved by what the letter lay
 * here, so that the clocks differ by what they did when it came; those of history are compared with none.
 */
function eventOf(raw: unknown, { id, at, once }: DeadLetter, nowMs: number): unknown {
  if (!isObject(raw)) return raw;
  const { sent_at: sentAt, ...event } = raw;
  const sentAtMs = parseTimestamp(sentAt);
  return {
    ...event,
    event_id: event["event_id"] ?? once ?? id,
    ...(once === undefined && { sent_at: Number.isNaN(sentAtMs) ? sentAt : sentAtMs + nowMs - at }),
  };
}

async function readDeadLetters(call: Call): Promise<Answer> {
  const source = fromQuery(call.query);
  const limit = integer(source, "limit", { low: 1, high: 500, otherwise: 50 });
  const before = optionalText(source, "before", ID_CHARS_MAX);
  const isWanted = await filterOf(source, call);
  if (isWanted === undefined) {
    const { letters, total } = await call.project.deadLetters({ limit, ...(before !== undefined && { before }) });
    const next = letters.length === limit ? letters.at(-1)!.id : null;
    return ok({ dead_letters: letters.map(wireLetter), total, next });
  }
  const found: DeadLetter[] = [];
  let next = before;
  for (let lookedAt = 0; ; await pause()) {
    const page = { limit: READ_AT_ONCE, ...(next !== undefined && { before: next }) };
    const { letters, total } = await call.project.deadLetters(page);
    for (const letter of letters) {
      next = letter.id;
      if (isWanted(letter) && found.push(letter) === limit) break;
    }
    lookedAt += letters.length;
    const isEnd = letters.length < READ_AT_ONCE && found.length < limit;
    if (isEnd || found.length === limit || lookedAt >= LOOKED_AT_MAX)
      return ok({ dead_letters: found.map(wireLetter), total, next: isEnd ? null : next });
  }
}

/** Whether a letter is one that the request asks for; undefined where it asks for all. */
async function filterOf(source: Source, call: Call): Promise<((letter: DeadLetter) => boolean) | undefined> {
  const code = optionalText(source, "code", ID_CHARS_MAX);
  const isOfSomebody = source.get("user_id") !== undefined || source.get("anonymous_id") !== undefined;
  const { user_id: userId, anonymous_id: anonymousId } = isOfSomebody ? await personRef(source, call) : {};
  if (code === undefined && !isOfSomebody) return undefined;
  return (letter) =>
    (code === undefined || letter.code === code) &&
    (userId === undefined || names(letter, "user_id", userId)) &&
    (anonymousId === undefined || names(letter, "anonymous_id", anonymousId));
}

/** What could not be read as an event names whoever's id stands in it. */
function names({ code, body }: DeadLetter, field: keyof PersonRef, id: string): boolean {
  if (typeof body !== "object" || body === null) return [...textsOf(body)].includes(id);
  const event = (code === WEBHOOK_FAILED ? (body as { payload: object }).payload : body) as Record<string, unknown>;
  return [...textsOf(ID_FIELDS[field].map((name) => event[name]))].includes(id);
}

function wireLetter({ id, at, code, path, message, source, body }: DeadLetter): Record<string, unknown> {
  return { id, at: new Date(at).toISOString(), code, path, message, source, body };
}
