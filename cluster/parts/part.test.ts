// Processes by their pid files: nobody is started twice, and nobody else is ever signalled.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { identify, runningSince } from "./identity.ts";
import { Part, PartError, type PartSpec } from "./part.ts";

const skip = process.platform === "linux" ? false : "needs /proc";

function sleeper(t: TestContext): PartSpec {
  const folder = mkdtempSync(join(tmpdir(), "attune-part-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [prepare, isReady] = [async () => undefined, async () => true];
  return { name: "sleeper", folder, program: "sleep", args: ["60"], prepare, isReady };
}

test("a part is known by its pid file, also to others, and is not started twice", { skip }, async (t) => {
  const spec = sleeper(t);
  const [one, two] = [new Part(spec, "own"), new Part(spec, "own")];
  t.after(() => one.stop());
  await one.start();
  assert.equal(two.pid, one.pid);
  assert.equal(await two.spawn(), false);
  await two.kill();
  assert.equal(one.isAlive, false);
  await two.start();
  assert.equal(one.pid, two.pid, "started anew by the other");
  await one.stop();
  assert.equal(two.isAlive, false);
});

test("a process that got a dead one's pid is none of ours", { skip }, async (t) => {
  const spec = sleeper(t);
  const stranger = new Part(sleeper(t), "caller");
  t.after(() => stranger.kill());
  await stranger.start();
  const pid = stranger.pid!;
  const { started } = identify(pid)!;
  writeFileSync(join(spec.folder, "sleeper.pid"), JSON.stringify({ pid, started: `${started}0` }));
  const part = new Part(spec, "own");
  assert.equal(part.isAlive, false);
  await part.stop();
  await part.kill();
  assert.equal(stranger.isAlive, true);
  writeFileSync(join(spec.folder, "sleeper.pid"), '{"pid":');
  assert.equal(new Part(spec, "own").isAlive, false);
});

test("what dies while starting says why", { skip }, async (t) => {
  const spec = { ...sleeper(t), program: "sh", args: ["-c", "echo no luck; exit 3"], isReady: async () => false };
  const part = new Part(spec, "caller");
  await assert.rejects(part.start(), (error) => error instanceof PartError && /no luck/.test(error.message));
  await part.start().catch(() => undefined);
  assert.equal(part.logTail(), "no luck\n", "of this start, not of the one before");
});

test("a paused part stands still, and stops all the same", { skip }, async (t) => {
  const part = new Part(sleeper(t), "own");
  await part.start();
  const pid = part.pid!;
  part.pause();
  const state = (): string => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))![1]!;
  while (state() !== "T");
  await part.stop();
  assert.equal(identify(pid), undefined);
});

test("a part that runs with other settings than it would be started with is known", { skip }, async (t) => {
  const spec = sleeper(t);
  const settings = { file: join(spec.folder, "settings.json"), text: "one" };
  const part = new Part({ ...spec, settings }, "caller");
  t.after(() => part.kill());
  assert.equal(part.hasSettings, false);
  await part.start();
  assert.equal(part.hasSettings, true);
  const changed = new Part({ ...spec, settings: { ...settings, text: "two" } }, "caller");
  assert.deepEqual([changed.isAlive, changed.hasSettings], [true, false]);
  await changed.spawn();
  assert.equal(changed.hasSettings, false, "it runs as it was");
  await changed.stop();
  await changed.start();
  assert.equal(changed.hasSettings, true);
});

test("who listens on a part's port already is not taken for the part", { skip }, async (t) => {
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { port } = stranger.address() as AddressInfo;
  for (const host of ["127.0.0.1", "localhost", "0.0.0.0"]) {
    const part = new Part({ ...sleeper(t), listens: [{ host, port }] }, "caller");
    t.after(() => part.kill());
    const said = new RegExp(`^sleeper was not started: another process listens on its port, ${host}:${port}; end that one first$`);
    await assert.rejects(part.start(), (error) => error instanceof PartError && said.test(error.message));
    assert.equal(part.isAlive, false);
  }
  const part = new Part({ ...sleeper(t), listens: [{ host: "127.0.0.1", port }] }, "caller");
  t.after(() => part.kill());
  stranger.close();
  await once(stranger, "close");
  await part.start();
  assert.equal(part.isAlive, true);
});

test("a killed process is there until its last thread has ended: so long its ports are open", () => {
  const stat = (state: string, threads: number): string =>
    `7 (a (b) c) ${state} 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 ${threads} 0 4711 0 0`;
  assert.deepEqual([runningSince(stat("S", 40)), runningSince(stat("Z", 40))], ["4711", "4711"]);
  assert.deepEqual([runningSince(stat("Z", 1)), runningSince(stat("X", 0))], [undefined, undefined]);
});
