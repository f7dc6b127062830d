// How many machines a load needs, by simulation from measured costs: numbers that no machine here can reach. Persons
// are drawn by Zipf's law and fall to subtasks as Flink places keys; each subtask works its queue off one event after the
// other. Reports the fewest subtasks that keep p99 of the wait below a limit, and the sizes that follow.
import { hash32 } from "../core/math/hash.ts";
import { type Rng, rngFrom } from "../core/math/rng.ts";
import { printTable } from "./table.ts";

/** Measured with `npm run bench -- cluster-costs` and `-- flink` (docs/benchmarks.md); override by the environment. */
const COSTS = {
  /** CPU of a TaskManager, µs a record: RocksDB, transactional sink, each record of another person. */
  taskManagerUs: given("TASK_MANAGER_US", 55),
  /** CPU of the server that takes an event in, µs, in batches of 100. */
  intakeUs: given("INTAKE_US", 12),
  /** CPU of every server for every event: its models learn it, its near cache hears of it. One thread does it. */
  followUs: given("FOLLOW_US", 50),
  brokerUs: given("BROKER_US", 31),
  redisUs: given("REDIS_US", 9),
  /** Compressed; generated events are so alike that they take 51. */
  logBytes: given("LOG_BYTES", 150),
  stateBytesAPerson: given("STATE_BYTES_A_PERSON", 1_000),
  /** An event id, kept for eight days. */
  stateBytesAnEvent: given("STATE_BYTES_AN_EVENT", 50),
  redisBytesAPerson: given("REDIS_BYTES_A_PERSON", 2_157),
};

function given(name: string, measured: number): number {
  const value = Number(process.env[name] ?? measured);
  if (value > 0) return value;
  throw new Error(`${name} is "${process.env[name]}": a number above zero`);
}

export interface Load {
  readonly eventsASecond: number;
  readonly persons: number;
}

export interface Sizing extends Load {
  readonly partitions: number;
  readonly slots: number;
  /** Of the busiest subtask over the mean. */
  readonly skew: number;
  readonly waitMsP99: number;
}

const LOADS: readonly Load[] = [
  { eventsASecond: 1e4, persons: 1e7 },
  { eventsASecond: 1e5, persons: 1e8 },
  { eventsASecond: 1e6, persons: 1e9 },
];
/** How unevenly persons act: the busiest of ten million then does about 0.02 % of it all. */
const ZIPF_EXPONENT = 0.8;
const WAIT_MS_P99_MAX = 50;
const SIMULATED_EVENTS = 2_000_000;
/** Kafka's partitions are read by the slots; twice as many leave room to add some. */
const PARTITIONS_A_SLOT = 2;
/** The job's (cluster/flink, Job.java): more slots than that find nothing to do. */
const KEY_GROUPS = 512;
/** A slot's share of busy time that leaves room for catching up after a restart, at twice the speed of the log. */
const BUSY_MAX = 0.5;
const IDS_KEPT_DAYS = 8;

export async function scaling(): Promise<void> {
  const rows = LOADS.map((load) => {
    const { slots, partitions, skew, waitMsP99 } = sizingOf(load, rngFrom(1));
    const { eventsASecond, persons } = load;
    const cores = (us: number): number => (eventsASecond * us) / 1e6 / BUSY_MAX;
    const stateBytes =
      persons * COSTS.stateBytesAPerson + eventsASecond * 86_400 * IDS_KEPT_DAYS * COSTS.stateBytesAnEvent;
    return [
      eventsASecond.toLocaleString("en"),
      persons.toLocaleString("en"),
      partitions,
      slots,
      Number(skew.toFixed(2)),
      Number(waitMsP99.toFixed(1)),
      Math.ceil(cores(COSTS.intakeUs)),
      (eventsASecond * COSTS.followUs) / 1e6,
      Math.ceil(cores(COSTS.brokerUs)),
      Math.ceil(cores(COSTS.redisUs)),
      terabytes(eventsASecond * 86_400 * COSTS.logBytes),
      terabytes(stateBytes),
      terabytes(persons * COSTS.redisBytesAPerson),
    ];
  });
  printTable(
    ["events/s", "persons", "partitions", "slots", "skew", "wait p99 ms", "intake cores", "threads to follow"].concat(
      ["broker cores", "Redis cores", "log TB a day", "state TB", "Redis TB"],
    ),
    rows,
  );
  console.log("");
  printTable(
    ["one person does, of 100,000 events/s", "his subtask is busy", "wait p99 ms there"],
    [0, 0.01, 0.03, 0.05, 0.1].map((share) => hotRow(share, rngFrom(2))),
  );
}

/** The fewest slots that keep the wait below the limit and the busiest of them below its share. */
function sizingOf(load: Load, rng: Rng): Sizing {
  const busy = (load.eventsASecond * COSTS.taskManagerUs) / 1e6;
  for (let slots = Math.max(1, Math.ceil(busy / BUSY_MAX)); ; slots = Math.ceil(slots * 1.1)) {
    const { skew, waitMsP99 } = simulate(load, { slots, hotShare: 0, rng });
    if (waitMsP99 <= WAIT_MS_P99_MAX && (busy / slots) * skew <= 2 * BUSY_MAX * 0.9)
      return { ...load, partitions: slots * PARTITIONS_A_SLOT, slots, skew, waitMsP99 };
  }
}

/** What a person who does this share of everything costs those who share his subtask. */
function hotRow(hotShare: number, rng: Rng): (string | number)[] {
  const [, load] = LOADS as [Load, Load];
  const { slots } = sizingOf(load, rng);
  const { waitMsP99Hot } = simulate(load, { slots, hotShare, rng });
  const busy = load.eventsASecond * (hotShare + (1 - hotShare) / slots) * (COSTS.taskManagerUs / 1e6);
  return [`${hotShare * 100} %`, `${Math.round(busy * 100)} %`, busy < 1 ? Number(waitMsP99Hot.toFixed(1)) : "grows"];
}

interface Options {
  slots: number;
  /** Of all events, by one person. */
  hotShare: number;
  rng: Rng;
}

/** Events one after the other, each into the queue of its subtask. */
export function simulate(
  { eventsASecond, persons }: Load,
  { slots, hotShare, rng }: Options,
): { skew: number; waitMsP99: number; waitMsP99Hot: number } {
  const freeAtUs = new Float64Array(slots);
  const counts = new Float64Array(slots);
  const waits: number[] = [];
  const hotWaits: number[] = [];
  const hotSlot = slotOf(0, slots);
  let nowUs = 0;
  for (let i = 0; i < SIMULATED_EVENTS; i++) {
    // Arrivals at random: the time to the next one is exponential.
    nowUs += (-Math.log(1 - unit(rng)) * 1e6) / eventsASecond;
    const person = unit(rng) < hotShare ? 0 : 1 + zipf(persons, rng);
    const slot = slotOf(person, slots);
    const startUs = Math.max(nowUs, freeAtUs[slot]!);
    freeAtUs[slot] = startUs + COSTS.taskManagerUs;
    counts[slot]!++;
    waits.push(startUs - nowUs);
    if (slot === hotSlot) hotWaits.push(startUs - nowUs);
  }
  const mean = SIMULATED_EVENTS / slots;
  return { skew: counts.reduce((a, b) => Math.max(a, b)) / mean, waitMsP99: p99(waits), waitMsP99Hot: p99(hotWaits) };
}

/** As Flink places keys: a key group by hash, and neighbouring groups to one subtask. */
function slotOf(person: number, slots: number): number {
  return Math.floor(((hash32(`u:user-${person}`) % KEY_GROUPS) * slots) / KEY_GROUPS);
}

/** In [0, 1). */
const unit = (rng: Rng): number => rng.between(0, 2 ** 32 - 1) / 2 ** 32;

/** Rank by Zipf's law, by the inverse of its integral. */
function zipf(persons: number, rng: Rng): number {
  const power = 1 - ZIPF_EXPONENT;
  return Math.floor(Math.pow(unit(rng) * (Math.pow(persons, power) - 1) + 1, 1 / power));
}

function p99(waitsUs: number[]): number {
  const sorted = Float64Array.from(waitsUs).sort();
  return (sorted[Math.floor(sorted.length * 0.99)] ?? 0) / 1_000;
}

const terabytes = (bytes: number): number => bytes / 1e12;
