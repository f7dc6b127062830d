// Dead letters: what was refused and why, and another try, as it was or corrected.
import type { DeadLetter } from "../../core/record.ts";
import { readValue } from "../http/json-body.ts";
import { requireJsonType } from "../http/media-type.ts";
import { fromQuery, ID_CHARS_MAX, integer, optionalText, pathText } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import type { Intake } from "../intake/intake.ts";
import { intakeAnswer } from "../intake/routes.ts";
import { WEBHOOK_FAILED, type WebhookSender } from "../webhooks/sender.ts";

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
    const raw = corrected ? await readValue(call) : letter.body;
    const answer = await intake.take(
      project,
      { raws: [raw] },
      {
        // Whoever retries is not who sent it: nothing about the visitor follows from this connection.
        sender: { kind: "library", context: {} },
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

async function readDeadLetters(call: Call): Promise<Answer> {
  const source = fromQuery(call.query);
  const limit = integer(source, "limit", { low: 1, high: 500, otherwise: 50 });
  const before = optionalText(source, "before", ID_CHARS_MAX);
  const { letters, total } = await call.project.deadLetters({ limit, ...(before !== undefined && { before }) });
  const next = letters.length === limit ? letters.at(-1)!.id : null;
  return ok({ dead_letters: letters.map(wireLetter), total, next });
}

function wireLetter({ id, at, code, path, message, source, body }: DeadLetter): Record<string, unknown> {
  return { id, at: new Date(at).toISOString(), code, path, message, source, body };
}
