// What the Segment tracking protocol sends, as far as it is read: https://segment.com/docs/connections/spec/common/
import { isShortText } from "../../core/event/text.ts";
import { ID_LENGTH_MAX } from "../../core/event/validate.ts";
import type { PersonRef } from "../../core/record.ts";
import { isObject } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import { BATCH_EVENTS_MAX } from "../intake/batch.ts";

const MESSAGE_TYPES = ["track", "page", "screen", "identify", "alias", "group"] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

export interface Message {
  /** As the path or the message says it; undefined where it is none that the protocol knows. */
  readonly type: MessageType | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The sender's clock when it sent: the message's own, else the batch's. */
  readonly sentAt: unknown;
}

/** The messages of a body; `type` is the path's, none for a batch. @throws Problem (bad_parameter, too_many_events). */
export function readMessages(body: Record<string, unknown>, type: MessageType | undefined): Message[] {
  if (type !== undefined) return [{ type, fields: body, sentAt: body["sentAt"] }];
  const { batch, sentAt } = body;
  if (!Array.isArray(batch)) {
    throw new Problem("bad_parameter", "`batch` must be an array.", { parameter: "batch", pointer: "/batch" });
  }
  if (batch.length > BATCH_EVENTS_MAX) {
    throw new Problem("too_many_events", `A batch may have at most ${BATCH_EVENTS_MAX} messages.`);
  }
  return batch.map((entry: unknown) => {
    const fields = isObject(entry) ? entry : {};
    return {
      type: MESSAGE_TYPES.find((known) => known === fields["type"]),
      fields,
      sentAt: fields["sentAt"] ?? sentAt,
    };
  });
}

/** An id as text: server libraries send numbers too. Anything else stays as it is, for validation to refuse. */
export function idOf(value: unknown): unknown {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return value === null || value === "" ? undefined : value;
}

/** Who a message is about; undefined where it names nobody, or by an id that none may have. */
export function refOf(names: { userId: unknown; anonymousId: unknown }): PersonRef | undefined {
  const userId = idOf(names.userId);
  const anonymousId = idOf(names.anonymousId);
  const ref: PersonRef = {};
  if (userId !== undefined) {
    if (!isShortText(userId, ID_LENGTH_MAX)) return undefined;
    ref.user_id = userId;
  }
  if (anonymousId !== undefined) {
    if (!isShortText(anonymousId, ID_LENGTH_MAX)) return undefined;
    ref.anonymous_id = anonymousId;
  }
  return userId === undefined && anonymousId === undefined ? undefined : ref;
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
