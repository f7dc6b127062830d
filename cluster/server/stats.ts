// The figures of one project on one server: what it did, and how the parts are that it depends on.
import type { HostStats } from "../../server/ports.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import type { RedisLink } from "../redis/link.ts";
import type { DeadLetterIndex } from "./dead-letters.ts";
import type { Decisions } from "./decisions.ts";
import type { Filler } from "./filler.ts";
import type { IntakeCounts } from "./intake.ts";
import type { JobWatch } from "./job-watch.ts";
import type { Learner } from "./learner.ts";
import type { Membership } from "./membership.ts";
import type { ModelSnapshots } from "./model-snapshots.ts";
import type { OutputsWatch } from "./outputs-watch.ts";
import type { People } from "./people.ts";
import type { Sizes } from "./sizes.ts";

/** Records behind which what was learnt counts as current. */
const LAG_READY_MAX = 1_000;
/** NTP keeps clocks within some milliseconds; one that is so far off is not kept. */
const CLOCK_OFF_MAX_MS = 60_000;

export interface StatsOf {
  readonly sender: KafkaSender;
  readonly link: RedisLink;
  readonly counts: IntakeCounts;
  readonly letters: DeadLetterIndex;
  readonly sizes: Sizes;
  readonly people: People;
  readonly learner: Learner;
  readonly snapshots: ModelSnapshots;
  readonly decisions: Decisions;
  /** Of `profiles`. */
  readonly filler: Filler;
  readonly membership: Membership;
  readonly job: JobWatch;
  readonly outputs: OutputsWatch;
  /** Kafka answers, and this login may not read something of what we follow. */
  readonly refusesReads: boolean;
  /** Everything there was has been learnt once. */
  readonly hasLearnt: boolean;
  readonly isClosed: boolean;
}

export function statsOf(of: StatsOf): HostStats {
  const { sender, counts, letters, sizes, people, learner, decisions, hasLearnt, isClosed } = of;
  return {
    ready: hasLearnt && !isClosed,
    acceptedTotal: counts.accepted,
    duplicatesTotal: counts.duplicates,
    deadLettersTotal: letters.total,
    markedTrafficTotal: counts.marked,
    queuedEvents: sender.queuedRecords,
    queuedBytes: sender.queuedBytes,
    logPosition: sender.sentTotal,
    logSizeBytes: 0,
    checkpointPosition: 0,
    checkpointAgeMs: 0,
    personsTotal: sizes.persons,
    personsCached: people.cached,
    itemsTotal: learner.recommender.itemCount,
    decisionsDroppedTotal: decisions.dropped,
    clockAheadMs: 0,
    storageFull: false,
    storageFailed: false,
    parts: partsOf(of),
  };
}

function partsOf(of: StatsOf): NonNullable<HostStats["parts"]> {
  const { sender, link, learner, snapshots, filler, membership, job, outputs, refusesReads, hasLearnt } = of;
  const { state, units } = learner.learnt.decisions;
  const [modelsLag, decisionsLag, fillerLag] = [learner.lag, learner.decisionsLag, filler.lag].map(figure);
  return {
    kafka: {
      ready: !sender.isAway && !sender.isRefusing && !refusesReads,
      queued_records: sender.queuedRecords,
      queued_bytes: sender.queuedBytes,
      refuses_writes: sender.isRefusing,
      refuses_reads: refusesReads,
    },
    redis: { ready: link.isCurrent, faults: link.faultsTotal, refuses_writes: link.isRefusing },
    models: {
      ready: hasLearnt && modelsLag! <= LAG_READY_MAX,
      lag: modelsLag!,
      steps: learner.stepsTotal,
      snapshots: snapshots.takenTotal,
    },
    decisions: {
      ready: hasLearnt && decisionsLag! <= LAG_READY_MAX,
      lag: decisionsLag!,
      open: state.open.size,
      persons: units.size,
    },
    filler: {
      ready: filler.isWhole && fillerLag! <= LAG_READY_MAX,
      lag: fillerLag!,
      partitions: filler.shares,
      records: filler.recordsTotal,
      servers: membership.servers.length,
    },
    clock: { ready: Math.abs(membership.clockAheadMs) <= CLOCK_OFF_MAX_MS, ahead_s: Math.round(membership.clockAheadMs / 1_000) },
    job: { ...job.figures, lag: figure(job.figures.lag) },
    outputs: {
      ready: true,
      transactions_written_again: outputs.figures.transactions,
      records_written_again: outputs.figures.records,
    },
  };
}

/** Lag before the first answer is not a number that JSON has. */
function figure(lag: number): number {
  return Number.isFinite(lag) ? lag : Number.MAX_SAFE_INTEGER;
}
