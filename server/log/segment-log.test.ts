import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import { rngFrom, type Rng } from "../../core/math/rng.ts";
import { BATCH_HEADER_BYTES } from "./frame.ts";
import { LogDamagedError, type LogFault, type LogOptions, type SegmentLog } from "./log.ts";
import { RecordBatch } from "./record-batch.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-file.ts";
import { openLog } from "./segment-log.ts";

const root = mkdtempSync(join(tmpdir(), "attune-log-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, String(folders++));

interface Opened {
  log: SegmentLog;
  faults: LogFault[];
}

async function opened(folder: string, options: Partial<LogOptions> = {}): Promise<Opened> {
  const faults: LogFault[] = [];
  const log = await openLog(folder, { reserveBytes: 4096, onFault: (fault) => faults.push(fault), ...options });
  return { log, faults };
}

const texts = (log: SegmentLog, from = log.start): string[] =>
  [...log.read(from)].map((entry) => `${entry.type}:${entry.payload.toString()}`);

async function append(log: SegmentLog, ...payloads: string[]): Promise<number[]> {
  const batch = new RecordBatch();
  const offsets = payloads.map((payload) => batch.add(1, payload));
  const start = log.end;
  assert.equal(await log.append(batch), log.end);
  return offsets.map((offset) => start + offset);
}

const segmentFiles = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.endsWith(".seg")).sort().map((name) => join(folder, name));

/** A log in which each payload is different, over `batches` batches of 1 to 3 records. */
async function writeLog(folder: string, rng: Rng, batches: number, options?: Partial<LogOptions>): Promise<string[]> {
  const { log } = await opened(folder, options);
  const written: string[] = [];
  for (let i = 0; i < batches; i++) {
    const newPayload = (k: number): string => `${i}.${k} ${"é€x".repeat(rng.between(0, 8))}`;
    const payloads = Array.from({ length: rng.between(1, 3) }, (_, k) => newPayload(k));
    await append(log, ...payloads);
    written.push(...payloads.map((payload) => `1:${payload}`));
  }
  await log.close();
  return written;
}

test("an empty log starts and ends at 0 and reads nothing", async () => {
  const { log, faults } = await opened(newFolder());
  assert.deepEqual([log.start, log.end, texts(log), faults], [0, 0, [], []]);
  await log.close();
});

test("what was appended is read back in order, at the positions that were promised, also after reopening", async () => {
  const folder = newFolder();
  const { log } = await opened(folder, { segmentBytesMax: 400 });
  const batch = new RecordBatch(64);
  const expected: { position: number; type: number; text: string }[] = [];
  for (let i = 0; i < 40; i++) {
    batch.clear();
    const start = log.end;
    for (let k = 0; k <= i % 3; k++) {
      const text = `${i}/${k} ${"ü".repeat(i)}`;
      const payload = k % 2 === 0 ? text : Buffer.from(text);
      expected.push({ position: start + batch.add(k + 1, payload), type: k + 1, text });
    }
    await log.append(batch);
  }
  const read = (from: SegmentLog) =>
    [...from.read(0)].map((e) => ({ position: e.position, type: e.type, text: e.payload.toString() }));
  assert.deepEqual(read(log), expected);
  assert.ok(segmentFiles(folder).length > 5, "the log has rotated");
  const end = log.end;
  await log.close();
  const again = await opened(folder, { segmentBytesMax: 400 });
  assert.deepEqual(read(again.log), expected);
  assert.ok(again.log.end > end, "the close mark has a place of its own");
  assert.deepEqual(again.faults, []);
  for (const { position, text } of expected) {
    const [first] = again.log.read(position);
    assert.equal(first!.payload.toString(), text);
  }
  await again.log.close();
});

test("records up to the longest payload survive, also where they cross the reader's chunks", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  const sizes = [0, 1, 1_048_551, 1_048_576, 3_000_000, 0xff_ffff];
  for (const size of sizes) await append(log, "x".repeat(size));
  await append(log, ...Array.from({ length: 9_000 }, (_, i) => "y".repeat(i % 700)));
  const read = [...log.read(0)].map((entry) => entry.payload.length);
  assert.deepEqual(read, [...sizes, ...Array.from({ length: 9_000 }, (_, i) => i % 700)]);
  await log.close();
});

test("a tail torn at any byte of the last batch is removed whole, and the log goes on", async () => {
  const source = newFolder();
  const { log } = await opened(source);
  await append(log, "first");
  const keep = log.end;
  await append(log, "second", "third ü");
  const end = log.end;
  const [file] = segmentFiles(source);
  const bytes = readFileSync(file!).subarray(0, end + SEGMENT_HEADER_BYTES);
  for (let cut = keep + 1; cut < end; cut++) {
    for (const filler of ["cut", "zeros"] as const) {
      const folder = newFolder();
      cpSync(source, folder, { recursive: true });
      const whole = bytes.subarray(0, SEGMENT_HEADER_BYTES + cut);
      const torn = filler === "cut" ? whole : Buffer.concat([whole, Buffer.alloc(end - cut)]);
      writeFileSync(segmentFiles(folder)[0]!, torn);
      const { log: reopened, faults } = await opened(folder);
      assert.deepEqual(faults.map((fault) => [fault.kind, fault.position]), [["torn_tail", keep]], `cut at ${cut}`);
      assert.equal(reopened.end, keep);
      const { size } = statSync(segmentFiles(folder)[0]!);
      assert.equal(size, SEGMENT_HEADER_BYTES + keep, "nothing stays behind the end");
      await append(reopened, "after");
      assert.deepEqual(texts(reopened), ["1:first", "1:after"]);
      await reopened.close();
      rmSync(folder, { recursive: true });
    }
  }
  await log.close();
});

test("garbage behind the end is a torn tail", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  await append(log, "only");
  const end = log.end;
  await log.close();
  appendFileSync(segmentFiles(folder)[0]!, Buffer.alloc(5_000, 0xfe));
  const again = await opened(folder);
  assert.deepEqual(again.faults.map((fault) => fault.kind), ["torn_tail"]);
  assert.ok(again.log.end > end);
  assert.deepEqual(texts(again.log), ["1:only"]);
  await again.log.close();
});

test("each flipped bit of a closed log is harmless or reported; no record changes or vanishes silently", async () => {
  const source = newFolder();
  const written = await writeLog(source, rngFrom(5), 6, { segmentBytesMax: 150 });
  const names = readdirSync(source).filter((name) => name.endsWith(".seg"));
  const rng = rngFrom(11);
  let flips = 0;
  for (const name of names) {
    const bytes = readFileSync(join(source, name));
    for (let at = 0; at < bytes.length; at++) {
      const folder = newFolder();
      cpSync(source, folder, { recursive: true });
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ (1 << rng.between(0, 7));
      writeFileSync(join(folder, name), flipped);
      const { log, faults } = await opened(folder, { segmentBytesMax: 150 });
      const seen = [...log.read(log.start, { onCorrupt: (fault) => faults.push(fault) })];
      const read = seen.map((entry) => `${entry.type}:${entry.payload.toString()}`);
      const unknown = read.filter((text) => !written.includes(text));
      assert.deepEqual(unknown, [], `${name} byte ${at}`);
      if (read.length < written.length) {
        assert.ok(faults.some((fault) => fault.kind === "damaged"), `${name} byte ${at}: a record vanished silently`);
        assert.ok(read.length >= written.length - 1, `${name} byte ${at}: one flip cost more than one record`);
      }
      await log.close();
      rmSync(folder, { recursive: true });
      flips++;
    }
  }
  assert.ok(flips > 500);
});

test("damage in the middle is reported with its position and costs only the records it hit", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  const positions = await append(log, "one", "two", "three");
  await append(log, "four");
  await log.close();
  const [file] = segmentFiles(folder);
  const bytes = readFileSync(file!);
  bytes[SEGMENT_HEADER_BYTES + positions[1]! + 10]! ^= 1;
  writeFileSync(file!, bytes);
  const { log: reopened, faults } = await opened(folder);
  const found: LogFault[] = [];
  const read = [...reopened.read(0, { onCorrupt: (fault) => found.push(fault) })].map((e) => e.payload.toString());
  assert.deepEqual(read, ["one", "three", "four"]);
  assert.deepEqual(found, faults);
  assert.deepEqual([found[0]!.kind, found[0]!.position], ["damaged", positions[1]]);
  const isThat = (error: unknown) => error instanceof LogDamagedError && error.fault.position === positions[1];
  assert.throws(() => [...reopened.read(0)], isThat);
  await append(reopened, "five");
  assert.equal(texts(reopened, positions[2]).at(-1), "1:five");
  await reopened.close();
});

test("damage before a position known as durable is never taken for a torn tail", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  await append(log, "one");
  const [position] = await append(log, "two");
  const durableEnd = log.end;
  await log.abandon();
  const [file] = segmentFiles(folder);
  const bytes = readFileSync(file!);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file!, bytes);
  const { log: reopened, faults } = await opened(folder, { durableEnd });
  assert.deepEqual(faults.map((fault) => [fault.kind, fault.position]), [["damaged", position]]);
  assert.equal(reopened.end, durableEnd);
  await reopened.close();
});

test("a log that ends before a position known as durable says so and never gives a position twice", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  await append(log, "one");
  const keep = log.end;
  await append(log, "two");
  const durableEnd = log.end;
  await log.abandon();
  truncateSync(segmentFiles(folder)[0]!, SEGMENT_HEADER_BYTES + keep);
  const { log: reopened, faults } = await opened(folder, { durableEnd });
  const atOpen = faults.map((fault) => [fault.kind, fault.position, fault.sizeBytes]);
  assert.deepEqual(atOpen, [["missing", keep, durableEnd - keep]]);
  const [position] = await append(reopened, "three");
  assert.ok(position! >= durableEnd);
  const found: LogFault[] = [];
  const read = [...reopened.read(0, { onCorrupt: (fault) => found.push(fault) })].map((e) => e.payload.toString());
  assert.deepEqual(read, ["one", "three"]);
  assert.deepEqual(found.map((fault) => fault.kind), ["missing"]);
  await reopened.close();
});

test("a batch that lies where another one belongs is damage, its records with it", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  const starts: number[] = [];
  for (const text of ["one", "two", "six", "ten"]) {
    starts.push(log.end);
    await append(log, text, `${text} again`);
  }
  await log.close();
  const [file] = segmentFiles(folder);
  const bytes = readFileSync(file!);
  bytes.copy(bytes, SEGMENT_HEADER_BYTES + starts[1]!, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + starts[1]!);
  writeFileSync(file!, bytes);
  const { log: reopened, faults } = await opened(folder);
  const found = faults.map((fault) => [fault.kind, fault.position, fault.sizeBytes]);
  assert.deepEqual(found, [["damaged", starts[1], starts[2]! - starts[1]!]]);
  const read = [...reopened.read(0, { onCorrupt: () => {} })].map((entry) => entry.payload.toString());
  assert.deepEqual(read, ["one", "one again", "six", "six again", "ten", "ten again"]);
  await reopened.close();
});

test("records behind the last batch belong to none and go with the torn tail", async () => {
  const folder = newFolder();
  const { log } = await opened(folder);
  await append(log, "first");
  const end = log.end;
  await append(log, "second", "third");
  await log.abandon();
  const [file] = segmentFiles(folder);
  const bytes = readFileSync(file!);
  const at = SEGMENT_HEADER_BYTES + end;
  const withoutHeader = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + BATCH_HEADER_BYTES)]);
  writeFileSync(file!, withoutHeader);
  const { log: reopened, faults } = await opened(folder);
  assert.deepEqual(faults.map((fault) => [fault.kind, fault.position]), [["torn_tail", end]]);
  assert.deepEqual(texts(reopened), ["1:first"]);
  await reopened.close();
});

test("a missing segment is reported at open and to readers", async () => {
  const folder = newFolder();
  await writeLog(folder, rngFrom(1), 20, { segmentBytesMax: 200 });
  const files = segmentFiles(folder);
  rmSync(files[2]!);
  const { log, faults } = await opened(folder, { segmentBytesMax: 200 });
  assert.deepEqual(faults.map((fault) => fault.kind), ["missing"]);
  assert.throws(() => [...log.read(0)], LogDamagedError);
  await log.close();
});

test("a crash while a segment is made leaves nothing that matters", async () => {
  for (const headerBytes of [0, 7, SEGMENT_HEADER_BYTES - 1]) {
    const folder = newFolder();
    const written = await writeLog(folder, rngFrom(2), 3);
    const { log } = await opened(folder);
    await log.abandon();
    const name = join(folder, `${String(log.end).padStart(16, "0")}.seg`);
    writeFileSync(name, Buffer.alloc(headerBytes));
    const again = await opened(folder);
    assert.deepEqual(again.faults, []);
    await append(again.log, "more");
    assert.deepEqual(texts(again.log), [...written, "1:more"]);
    await again.log.close();
  }
});

test("retention drops whole segments before a position, never the last, and positions go on", async () => {
  const folder = newFolder();
  const { log } = await opened(folder, { segmentBytesMax: 300 });
  const positions: number[] = [];
  for (let i = 0; i < 30; i++) positions.push(...(await append(log, `${i}`.padStart(60, " "))));
  await log.dropBefore(positions[15]!);
  assert.ok(log.start > 0 && log.start <= positions[15]!);
  const kept = positions.filter((position) => position >= log.start);
  assert.deepEqual([...log.read(log.start)].map((entry) => entry.position), kept);
  assert.throws(() => [...log.read(0)], /no more/);
  await log.dropBefore(log.end);
  assert.equal(segmentFiles(folder).length, 1);
  await log.close();
  const again = await opened(folder, { segmentBytesMax: 300 });
  assert.deepEqual([again.log.start > 0, again.faults], [true, []]);
  await again.log.close();
});

test("a reader sees exactly what was durable when it began, while appends go on", async () => {
  const { log } = await opened(newFolder(), { segmentBytesMax: 2_000 });
  await append(log, "a", "b");
  const reader = log.read(0);
  assert.equal(reader.next().value!.payload.toString(), "a");
  const appending = append(log, "c");
  const before = log.read(0);
  const seen = [...before].map((entry) => entry.payload.toString());
  await appending;
  for (let i = 0; i < 50; i++) await append(log, `${i}`.repeat(100));
  assert.deepEqual([...reader].map((entry) => entry.payload.toString()), ["b"]);
  assert.deepEqual(seen, ["a", "b"]);
  assert.equal(texts(log).length, 53);
  await log.close();
});

test("random appends, reopens, crashes and reads agree with an array", () =>
  forEachSeedAsync(20, async (rng) => {
    const folder = newFolder();
    const segmentBytesMax = rng.between(100, 3_000);
    let { log } = await opened(folder, { segmentBytesMax });
    const model: { position: number; text: string }[] = [];
    for (let step = 0; step < 40; step++) {
      const what = rng.between(0, 9);
      if (what < 7) {
        const payloads = Array.from({ length: rng.between(1, 5) }, () => "z".repeat(rng.between(0, 300)));
        const positions = await append(log, ...payloads);
        model.push(...positions.map((position, i) => ({ position, text: payloads[i]! })));
      } else if (what === 7) {
        await log.close();
        ({ log } = await opened(folder, { segmentBytesMax }));
      } else if (what === 8) {
        await log.abandon();
        appendFileSync(segmentFiles(folder).at(-1)!, "t".repeat(rng.between(1, 40)));
        ({ log } = await opened(folder, { segmentBytesMax }));
      } else {
        const from = model[rng.between(0, Math.max(0, model.length - 1))]?.position ?? 0;
        const read = [...log.read(from)].map((e) => ({ position: e.position, text: e.payload.toString() }));
        assert.deepEqual(read, model.filter((entry) => entry.position >= from));
      }
    }
    assert.deepEqual([...log.read(0)].map((e) => e.payload.toString()), model.map((entry) => entry.text));
    await log.close();
  }));
