// One live connection's view of one person: what has changed since it was last told, never a backlog of it.
import type { FiredTrigger } from "../../core/segment/triggers.ts";
import type { Cause, LiveMessage, Subscription } from "./messages.ts";

/** The wire under a connection: a WebSocket or a stream of server-sent events. */
export interface Outlet {
  /** Bytes handed over that the reader has not taken yet. */
  readonly unreadBytes: number;
  send(message: LiveMessage): void;
  /** Ends a reader that does not read. */
  cut(): void;
}

/** A trigger that waits for the person's page: with a limit, because nothing may grow without one. */
const TRIGGERS_WAITING_MAX = 32;

export class Subscriber {
  readonly outlet: Outlet;
  subscription: Subscription | undefined;
  /** The person's key when last looked at; changes when persons merge. */
  key = "";
  waiting = false;
  /** By the monotonic clock: of the last push. */
  lastPushMs = -Infinity;
  profile = false;
  lists = false;
  allSegments = false;
  cause: Cause | undefined;
  /** Segments were entered or left. */
  segments = false;
  /** Those that the connection was told last; undefined before the first time. */
  #told: readonly string[] | undefined;
  triggers: { trigger: FiredTrigger; cause: Cause | undefined }[] = [];

  constructor(outlet: Outlet) {
    this.outlet = outlet;
  }

  /** Asks for everything anew: after a subscription, or when the person became another. */
  wantAll(): void {
    this.profile = true;
    this.lists = true;
    this.allSegments = true;
  }

  addTrigger(trigger: FiredTrigger, cause: Cause | undefined): void {
    this.triggers.push({ trigger, cause });
    if (this.triggers.length > TRIGGERS_WAITING_MAX) this.triggers.shift();
  }

  get hasNews(): boolean {
    return this.profile || this.lists || this.allSegments || this.segments || this.triggers.length > 0;
  }

  /** Takes what is to be told; what changes from now on is told the next time. */
  take() {
    const { profile, lists, allSegments, segments, cause, triggers } = this;
    this.#forgetNews();
    return { profile, lists, allSegments, cause, triggers, segments };
  }

  /**
   * What was entered and left since the connection was last told of segments: nothing, the first time. So whoever follows
   * only the moves comes to `segments`, also where the person became another, who has segments of his own.
   */
  movesTo(segments: readonly string[]): { entered: string[]; left: string[] } {
    const before = this.#told ?? segments;
    this.#told = segments;
    return {
      entered: segments.filter((name) => !before.includes(name)),
      left: before.filter((name) => !segments.includes(name)),
    };
  }

  /** Nobody is watched any more. */
  forget(): void {
    this.#forgetNews();
    this.#told = undefined;
  }

  #forgetNews(): void {
    this.profile = this.lists = this.allSegments = this.segments = false;
    this.cause = undefined;
    this.triggers = [];
  }
}
