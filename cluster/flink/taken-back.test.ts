// What Kafka takes back between a checkpoint and its commit: a real broker that rolls back a transaction whose time is up, and
// the job on a real session cluster. Each output must be committed once, in whatever way the job comes to hear of it.
//
// A savepoint beside the running job holds transactions that are about to be committed, and only the next checkpoint commits
// them: so they stay open for as long as a test likes.
import { deepEqual, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Producer } from "@platformatic/kafka";
import { rngFrom } from "../../core/math/rng.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { START_MS } from "../../server/embedded/testing.ts";
import { clientOptions } from "../kafka/connection.ts";
import { offsetsOf } from "../kafka/offsets.ts";
import { withAdmin } from "../kafka/topics.ts";
import { writtenAgain } from "../kafka/written-again.ts";
import { clusterMissing } from "../testing/servers.ts";
import { areTransactionsOpen, committedOutputs, type OutputTopics } from "./testing/committed-outputs.ts";
import { Rig } from "./testing/rig.ts";
import { Traffic } from "./testing/traffic.ts";

const PARTITIONS = 4;
const PARALLELISM = 2;
const EVENTS = 150;
const NEVER_MS = 3_600_000;
/** From a transaction's first record on; the outputs of `EVENTS` and a savepoint must come in less. */
const TRANSACTION_TIMEOUT_MS = 12_000;
const QUIET_MS = 500;
/** An erasure is in force a second after it was written. */
const ERASED_AFTER_MS = 1_200;
const missing = clusterMissing();

test("outputs that Kafka takes back are written again, once", { skip: missing ?? false }, async (t) => {
  const rig = await Rig.start({ slots: PARALLELISM, partitions: PARTITIONS });
  after(() => rig.stop());
  await rig.putProgram({ version: 1, at: START_MS, document: shopProgram });
  const connection = { brokers: [rig.kafka.bootstrap] };
  const outputs: OutputTopics = { connection, topics: rig.topics, partitions: PARTITIONS };
  const args = { "checkpoint-interval-ms": NEVER_MS, "transaction-timeout-ms": TRANSACTION_TIMEOUT_MS };
  const submit = (from?: string): Promise<string> =>
    rig.submit({ parallelism: PARALLELISM, args, ...(from === undefined ? {} : { from }) });
  const traffic = new Traffic(rig, rngFrom(3), { persons: 40 });
  let jobId = await submit();
  rig.startTicking();

  /** Steps and profile values that were written, committed or not. */
  const written = (): Set<string> => {
    const steps = rig.outputs.steps.flatMap((step) => (step.kind === "step" ? [step.eventId] : []));
    return new Set([...steps, ...rig.outputs.bytesByVersion.keys()]);
  };
  let precommitted = new Set<string>();
  /** What must never be seen: outputs of somebody who was erased while they were not committed. */
  let forgotten = new Set<string>();

  /** All that was precommitted. Outcomes come with their steps; values that time alone has made may be beside. */
  async function allCommittedOnce(): Promise<void> {
    const { steps, outcomes, profiles } = await committedOutputs(outputs);
    for (const names of [steps, outcomes, profiles]) deepEqual(names, [...new Set(names)]);
    const committed = new Set([...steps, ...profiles]);
    deepEqual([...precommitted].filter((name) => !committed.has(name) && !forgotten.has(name)), []);
    deepEqual([...forgotten].filter((name) => committed.has(name)), []);
    deepEqual(steps.filter((id) => !outcomes.includes(id)), []);
  }

  /** Sends events, waits until their outputs are written, and writes a savepoint before they are committed. */
  async function precommit(): Promise<string> {
    await traffic.run(EVENTS);
    let size = 0;
    await rig.until(
      () => `outputs of all events, not only ${size}`,
      async () => {
        await setTimeout(QUIET_MS);
        const isQuiet = size > precommitted.size + EVENTS / 2 && written().size === size;
        size = written().size;
        return isQuiet;
      },
    );
    precommitted = written();
    return rig.rest.savepoint(jobId);
  }

  const untilNoneOpen = (): Promise<void> =>
    rig.until(
      () => "no transaction is open",
      async () => !(await areTransactionsOpen(outputs)),
    );

  /** Until the job runs again from a checkpoint, after what `fault` does. */
  async function restored(fault: () => Promise<void>): Promise<void> {
    const before = (await rig.rest.checkpoints(jobId)).restored;
    await fault();
    await rig.until(
      () => "the job was restored and runs",
      async () => {
        const job = (await rig.rest.jobs()).find(({ jid }) => jid === jobId);
        const isRestored = (await rig.rest.checkpoints(jobId)).restored > before;
        return isRestored && job?.state === "RUNNING" && job.tasks.running === job.tasks.total;
      },
    );
  }

  await t.test("while the job runs", async () => {
    await precommit();
    await untilNoneOpen();
    deepEqual(await committedOutputs(outputs), { steps: [], outcomes: [], profiles: [] });
    await restored(() => rig.checkpoint(jobId));
    ok((await rig.rest.lastFailure(jobId))!.stackTrace.includes("OutputsTakenBack"));
    await allCommittedOnce();
    const marks = await writtenAgain(connection, 1);
    const ids = marks.map(({ transactionalId }) => transactionalId);
    deepEqual(ids.sort(), ["attune.g1.results-0-1", "attune.g1.results-1-1"]);
    ok(marks.every(({ records }) => records > 0));
  });

  await t.test("and not twice where a TaskManager dies before the next checkpoint", async () => {
    const [victim] = rig.flink.taskManagers;
    await restored(async () => {
      await victim!.kill();
      await victim!.start();
    });
    await allCommittedOnce();
  });

  await t.test("while the job is away, and not twice where the next one goes on from the same place", async () => {
    const savepoint = await precommit();
    await rig.cancel(jobId);
    await untilNoneOpen();
    for (let i = 0; i < 2; i++) {
      jobId = await submit(savepoint);
      await allCommittedOnce();
      await rig.cancel(jobId);
    }
    jobId = await submit(savepoint);
  });

  await t.test("but nothing of whoever was erased while the job was away", async () => {
    const before = await committedOutputs(outputs);
    const known = new Set([...before.steps, ...before.profiles]);
    const savepoint = await precommit();
    await rig.cancel(jobId);
    await untilNoneOpen();
    const fresh = [...precommitted].filter((name) => !known.has(name));
    const key = fresh.find((name) => name.startsWith("u:"))!.split(" ")[0]!;
    const theirs = rig.outputs.steps.flatMap((step) => (step.kind === "step" && step.step.personKey === key ? [step.eventId] : []));
    forgotten = new Set(fresh.filter((name) => name.startsWith(`${key} `) || theirs.includes(name)));
    ok([...forgotten].some((name) => theirs.includes(name)), "they have steps, too");
    await rig.erase([key]);
    await setTimeout(ERASED_AFTER_MS);
    jobId = await submit(savepoint);
    await allCommittedOnce();
    await rig.checkpoint(jobId);
    await untilNoneOpen();
  });

  await t.test("what was committed is none of it, though its transaction's id was used again since", async () => {
    const savepoint = await precommit();
    const number = await rig.savepointNumber(jobId);
    await rig.checkpoint(jobId);
    await untilNoneOpen();
    await rig.cancel(jobId);
    await allCommittedOnce();
    for (let subtask = 0; subtask < PARALLELISM; subtask++) {
      const transactionalId = `attune.g1.results-${subtask}-${number}`;
      const anew = { idempotent: true, transactionalId, producerId: -1n, producerEpoch: -1 };
      const producer = new Producer({ ...clientOptions(connection), ...anew });
      // Which fences whoever had the id before.
      await producer.beginTransaction();
      await producer.close(true);
    }
    jobId = await submit(savepoint);
    await allCommittedOnce();
  });

  await t.test("what Kafka does not hold any more stops the job", async () => {
    await precommit();
    await untilNoneOpen();
    const before = await committedOutputs(outputs);
    const ends = (await offsetsOf(connection, [rig.topics.steps])).get(rig.topics.steps)!.ends;
    const partitions = ends.map((end, partition) => ({ partition, offset: BigInt(end) }));
    await withAdmin(connection, (admin) => admin.deleteRecords({ topics: [{ name: rig.topics.steps, partitions }] }));
    await rig.checkpoint(jobId);
    await rig.until(
      () => "the job says that it cannot go on",
      async () => (await rig.rest.lastFailure(jobId))?.stackTrace.includes("not all; a backfill mends it") === true,
    );
    const { outcomes, profiles } = await committedOutputs(outputs);
    deepEqual({ outcomes, profiles }, { outcomes: before.outcomes, profiles: before.profiles });
    const { tasks } = (await rig.rest.jobs()).find(({ jid }) => jid === jobId)!;
    ok(tasks.running < tasks.total);
  });
});
