// Intake: raw events in, what became of each out. Every way in (HTTP, WebSocket, a retried dead letter) comes through here.
import { uuidv7 } from "uuidv7";
import type { LoggedEvent } from "../../core/event/event.ts";
import { normaliseEvent } from "../../core/event/validate.ts";
import type { DeadLetter } from "../../core/record.ts";
import { isObject } from "../http/body.ts";
import type { Timing } from "../http/timings.ts";
import type { Project } from "../ports.ts";
import { overloaded, type Admission } from "./admission.ts";
import type { Batch } from "./batch.ts";
import { deadLetterQuota, type DeadLetterQuota } from "./dead-letter-quota.ts";
import { type Enricher, marksOf, type Sender } from "./enrich/enrich.ts";
import { keptBody } from "./kept-body.ts";

export interface RejectedEvent {
  index: number;
  event_id?: string;
  code: string;
  path: string;
  message: string;
}

/** The public answer: `POST /v1/events` and `ack` on the live connection. */
export interface IntakeAnswer {
  accepted: number;
  duplicates: number;
  rejected: RejectedEvent[];
}

/** What intake counts for a project, since the process started. */
export interface IntakeCounts {
  accepted: number;
  duplicates: number;
  rejected: number;
  marked: number;
  readonly quota: DeadLetterQuota;
}

/** Sees what intake took, after it was durable. Must not throw or block. */
export interface IntakeTap {
  accepted(project: Project, events: readonly LoggedEvent[]): void;
  rejected(project: Project, rejected: readonly RejectedEvent[]): void;
}

export interface TakeOptions {
  sender: Sender;
  /** Bytes that the events came in, for admission. */
  sizeBytes: number;
  /** Goes into dead letters. */
  source: string;
  /** False where refused events are kept already. */
  keepRejected: boolean;
}

export interface Intake {
  readonly admission: Admission;
  /** Before a body is unpacked and parsed: to refuse many must be cheap. @throws Problem (overloaded) where `take` would. */
  checkRoom(project: Project, sizeBytes: number): void;
  /**
   * Resolves when what is accepted is durable and folded. Rejects with HostError or Problem (overloaded) when nothing
   * was taken.
   */
  take(project: Project, batch: Batch, options: TakeOptions): Promise<IntakeAnswer>;
  counts(project: Project): IntakeCounts;
  /** Returns how to stop. */
  tap(tap: IntakeTap): () => void;
}

export function createIntake(options: {
  enricher: Enricher;
  admission: Admission;
  /** Takes the time from hand-over to the host until durable and folded. */
  commitTiming: (project: Project) => Timing;
  now: () => number;
}): Intake {
  const countsByProject = new Map<string, IntakeCounts>();
  const taps = new Set<IntakeTap>();

  function counts(project: Project): IntakeCounts {
    let found = countsByProject.get(project.name);
    if (found === undefined) {
      found = { accepted: 0, duplicates: 0, rejected: 0, marked: 0, quota: deadLetterQuota() };
      countsByProject.set(project.name, found);
    }
    return found;
  }

  return {
    admission: options.admission,
    counts,
    checkRoom(project, sizeBytes) {
      if (project.isFull) throw overloaded();
      options.admission.check(sizeBytes);
    },
    tap(tap) {
      taps.add(tap);
      return () => taps.delete(tap);
    },
    async take(project, batch, { sender, sizeBytes, source, keepRejected }) {
      const leave = options.admission.enter(sizeBytes);
      try {
        const nowMs = options.now();
        const counted = counts(project);
        const events: LoggedEvent[] = [];
        /** Where in the request each of them was. */
        const places: number[] = [];
        const rejected: RejectedEvent[] = [];
        const deadLetters: Omit<DeadLetter, "id" | "at">[] = [];
        const { raws, sentAtMs, senders } = batch;
        const rules = {
          receivedAtMs: nowMs,
          eventTypes: project.eventTypes,
          newEventId: uuidv7,
          ...(sentAtMs !== undefined && { sentAtMs }),
        };
        for (let index = 0; index < raws.length; index++) {
          const result = normaliseEvent(raws[index], rules);
          if ("event" in result) {
            const from = senders?.[index] ?? sender;
            const event = options.enricher.enrich(result.event, from, nowMs);
            if (from.asksPrivacy === true && project.honoursGpc) event.traffic ??= "no_consent";
            events.push(event);
            places.push(index);
            continue;
          }
          const { code, path, message, event_id: eventId } = result.rejected;
          rejected.push({ index, ...(eventId !== undefined && { event_id: eventId }), code, path, message });
          if (keepRejected && counted.quota.take(nowMs)) {
            const body = keptBody(withClock(raws[index], sentAtMs));
            deadLetters.push({ code, path, message, source, body, ...marksOf(senders?.[index] ?? sender) });
          }
        }
        let duplicates = 0;
        const refused: RejectedEvent[] = [];
        if (events.length > 0 || deadLetters.length > 0) {
          const startMs = performance.now();
          const outcomes = await project.submit({ events, deadLetters });
          options.commitTiming(project).record(performance.now() - startMs);
          for (let i = 0; i < outcomes.length; i++) {
            if (outcomes[i] === "duplicate") duplicates++;
            else if (outcomes[i] === "refused") refused.push(refusedFor("no_consent", places[i]!, events[i]!.event_id));
            else if (outcomes[i] === "erased") refused.push(refusedFor("erased", places[i]!, events[i]!.event_id));
          }
          if (taps.size > 0 && events.length > duplicates + refused.length) {
            const isWhole = duplicates + refused.length === 0;
            const fresh = isWhole ? events : events.filter((_, i) => outcomes[i] === "accepted");
            for (const tap of taps) tap.accepted(project, fresh);
          }
        }
        for (const event of events) if (event.traffic !== undefined) counted.marked++;
        const accepted = events.length - duplicates - refused.length;
        if (refused.length > 0) {
          rejected.push(...refused);
          rejected.sort((a, b) => a.index - b.index);
        }
        counted.accepted += accepted;
        counted.duplicates += duplicates;
        counted.rejected += rejected.length;
        if (rejected.length > 0) for (const tap of taps) tap.rejected(project, rejected);
        return { accepted, duplicates, rejected };
      } finally {
        leave();
      }
    },
  };
}

/** The event with its batch's `sent_at`, without which its time could not be corrected when it is tried again. */
function withClock(raw: unknown, sentAtMs: number | undefined): unknown {
  return sentAtMs === undefined || !isObject(raw) ? raw : { ...raw, sent_at: raw["sent_at"] ?? sentAtMs };
}

/**
 * Why an event is refused whose form is right, by code. It is not kept as a dead letter either: that would be keeping what
 * a person does not allow, and bring back what was erased.
 */
export const REFUSED_FOR_PERSONS = {
  no_consent: "This person does not allow that events are kept; see consent.",
  erased: "This person was erased after the event had happened; what they do from now on counts.",
} as const;

function refusedFor(code: keyof typeof REFUSED_FOR_PERSONS, index: number, eventId: string): RejectedEvent {
  return { index, event_id: eventId, code, path: "", message: REFUSED_FOR_PERSONS[code] };
}
