// Closed rows: nothing of a person in the file's bytes, no nonce twice, and whatever is not what was written does not open.
import { deepEqual, equal, notEqual, ok, rejects, throws } from "node:assert/strict";
import { createSecretKey, type KeyObject } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { open } from "lmdb";
import { rngFrom } from "../../core/math/rng.ts";
import { closedRows } from "./closed-rows.ts";
import { StateCorruptError, StateFile } from "./state-file.ts";
import { writeEachAlone, writePageClosed } from "./testing/earlier-forms.ts";

const HEADER_BYTES = 39;
const keyFrom = (byte: number): KeyObject => createSecretKey(Buffer.alloc(32, byte));

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "attune-closed-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const ROWS: [key: string, text: string][] = [
  ["meta", "{}"],
  ["p:u:canary-ada", "canary profile of ada"],
  ["p:u:canary-bob", "canary profile of bob"],
  ["p:a:canary-\nphone ø", "canary profile of a phone"],
  ["l:a:canary-phone", "u:canary-ada"],
  ["m:buyers/u:canary-ada", ""],
  ["m:buyers/u:canary-bob", ""],
  ["u:run-1/u:canary-ada", "a unit"],
  ["x:0000000001760000:u:canary-ada", ""],
  ["x:0000000001770000:u:canary-bob", ""],
  ["d:0197", "canary letter"],
  ["t:items:7", "canary item"],
];

async function filled(folder: string, key: KeyObject | undefined): Promise<StateFile> {
  const file = StateFile.open(folder, key);
  for (const [name, text] of ROWS) file.write(name, Buffer.from(text));
  await file.commit();
  return file;
}

const textsOf = (rows: Iterable<[string, Uint8Array]>): [string, string][] =>
  [...rows].map(([key, bytes]): [string, string] => [key, Buffer.from(bytes).toString()]);

test("a closed file gives back what was written and says nothing of it", async (t) => {
  const folder = folderOf(t);
  const key = keyFrom(1);
  let file = await filled(folder, key);
  for (const [name, text] of ROWS) equal(Buffer.from(file.get(name)!).toString(), text, name);
  equal(file.get("p:u:nobody"), undefined);
  deepEqual(textsOf(file.all()).sort(), [...ROWS].sort());
  deepEqual(textsOf(file.rows("m:buyers/")).map(([rest]) => rest).sort(), ["u:canary-ada", "u:canary-bob"]);
  // Timers keep the order in which they fall due.
  const timers = (options: { to?: string; after?: string; limit?: number }): string[] =>
    textsOf(file.rows("x:", options)).map(([rest]) => rest);
  deepEqual(timers({ to: "0000000001765000:" }), ["0000000001760000:u:canary-ada"]);
  deepEqual(timers({ limit: 1 }), ["0000000001760000:u:canary-ada"]);
  deepEqual(timers({ after: "0000000001760000:u:canary-ada" }), ["0000000001770000:u:canary-bob"]);
  await file.close();
  equal(readFileSync(join(folder, "state.mdb")).includes("canary"), false);
  file = StateFile.open(folder, key);
  deepEqual(textsOf(file.all()).sort(), [...ROWS].sort(), "it opens again");
  await file.close();
  file = StateFile.open(folder, keyFrom(2));
  deepEqual([...file.all()], [], "with another key it is thrown away");
  await file.close();
});

test("persons are found by how their ids begin, as in an open file, through changes", async (t) => {
  const rng = rngFrom(7);
  const files = [StateFile.open(folderOf(t), keyFrom(1)), StateFile.open(folderOf(t))];
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 60; i++) {
      const id = `p:u:${["ab", "abc", "b\"\n"][rng.between(0, 2)]}${rng.between(0, 40)}`;
      const bytes = rng.between(0, 3) === 0 ? null : Buffer.from("x");
      for (const file of files) file.write(id, bytes);
    }
    for (const file of files) await file.commit();
    for (const [prefix, limit] of [["u:ab", 5], ["u:abc", 1_000], ["u:b\"\n1", 10], ["u:x", 5], ["", 1_000]] as const) {
      const [closed, inTheOpen] = await Promise.all(files.map((file) => file.findPersons([prefix], limit)));
      deepEqual(closed, inTheOpen, `${prefix} in round ${round}`);
    }
    const [closed, inTheOpen] = await Promise.all(files.map((file) => file.findPersons(["u:b", "u:ab"], 3)));
    deepEqual(closed, inTheOpen);
    deepEqual(closed!.map((key) => key.slice(0, 3)).join(" "), "u:b u:b u:b u:a u:a u:a");
  }
  for (const file of files) await file.close();
});

test("no nonce comes twice under a key: within a file, after it is opened again, in copies that go on by themselves", async (t) => {
  const folder = folderOf(t);
  const key = keyFrom(1);
  await (await filled(folder, key)).close();
  const copy = folderOf(t);
  cpSync(folder, copy, { recursive: true });
  const seen = new Set<string>();
  for (const place of [folder, copy, folder]) {
    await (await filled(place, key)).close();
    for (const stored of (await storedIn(place)).values()) seen.add(stored.subarray(1, 23).toString("hex"));
  }
  const rowsAtATime = (await storedIn(folder)).size;
  const directory = rowsAtATime - ROWS.length;
  ok(directory > 0);
  equal(seen.size, 3 * ROWS.length + directory, "the directory is written where it changes");
  const form = closedRows(key);
  const nonceOfNext = (): string => Buffer.from(form.stored("p:u:ada", Buffer.from("x")).subarray(1, 23)).toString("hex");
  const nonces = Array.from({ length: 1_000 }, nonceOfNext);
  equal(new Set(nonces).size, 1_000);
});

async function storedIn(folder: string): Promise<Map<string, Buffer>> {
  const database = open<Buffer, string>({ path: join(folder, "state.mdb"), noSubdir: true, encoding: "binary", readOnly: true });
  const rows = new Map([...database.getRange({ start: " ", end: "\x7f" })].map(({ key, value }) => [key, Buffer.from(value)]));
  await database.close();
  return rows;
}

test("a row does not open changed, cut, under another's name or with another key", () => {
  const form = closedRows(keyFrom(1));
  const stored = Buffer.from(form.stored("p:u:ada", Buffer.from("what is said of her")));
  const name = form.nameOf("p:u:ada");
  equal(form.read(name, stored)?.key, "p:u:ada");
  for (let at = 0; at < stored.length; at++) {
    const changed = Buffer.from(stored);
    changed[at]! ^= 1;
    equal(form.read(name, changed), undefined, `byte ${at}`);
    equal(form.read(name, stored.subarray(0, at)), undefined, `cut at ${at}`);
  }
  equal(form.read(form.nameOf("p:u:bob"), stored), undefined);
  equal(form.read(name.replace("p:", "l:"), stored), undefined);
  equal(closedRows(keyFrom(2)).read(name, stored), undefined);
  notEqual(closedRows(keyFrom(2)).nameOf("p:u:ada"), name);
});

test("rows that were swapped in the file are found, and it is thrown away at the next opening", async (t) => {
  const folder = folderOf(t);
  const key = keyFrom(1);
  await (await filled(folder, key)).close();
  const form = closedRows(key);
  const [ada, bob] = [form.nameOf("p:u:canary-ada"), form.nameOf("p:u:canary-bob")];
  const rows = await storedIn(folder);
  const database = open<Buffer, string>({ path: join(folder, "state.mdb"), noSubdir: true, encoding: "binary" });
  database.putSync(ada, rows.get(bob)!);
  database.putSync(bob, rows.get(ada)!);
  await database.close();
  const file = StateFile.open(folder, key);
  throws(() => file.get("p:u:canary-ada"), StateCorruptError);
  await file.close();
  equal(StateFile.faultOf(folder, key), "damaged");
  const anew = StateFile.open(folder, key);
  deepEqual([...anew.all()], []);
  await anew.close();
});

test("a damaged row of the directory is found by the search and by the next checkpoint", async (t) => {
  const folder = folderOf(t);
  const key = keyFrom(1);
  await (await filled(folder, key)).close();
  const bucket = closedRows(key).groupOf("n:u:canary-ada")!;
  const stored = (await storedIn(folder)).get(bucket)!;
  const put = async (bytes: Buffer): Promise<void> => {
    const database = open<Buffer, string>({ path: join(folder, "state.mdb"), noSubdir: true, encoding: "binary" });
    database.putSync(bucket, bytes);
    await database.close();
  };
  await put(Buffer.concat([stored.subarray(0, -1), Buffer.of(stored.at(-1)! ^ 1)]));
  const file = StateFile.open(folder, key);
  file.write("p:u:canary-ada", null);
  await rejects(file.commit(), { name: "CheckpointFailedError" });
  equal(StateFile.faultOf(folder, key), "damaged");
  await rejects(file.findPersons(["u:"], 10), StateCorruptError);
  await put(stored);
  file.write("p:u:canary-eve", Uint8Array.of(1));
  await rejects(file.commit(), { name: "CheckpointFailedError" }, "what will be thrown away takes nothing more");
  equal(file.get("p:u:canary-eve"), undefined);
  await file.close();
});

test("an open file, and those of earlier closed forms, are not taken for this one; all can be read as they lie", async (t) => {
  const key = keyFrom(1);
  const inTheOpen = folderOf(t);
  await (await filled(inTheOpen, undefined)).close();
  const earlier = [folderOf(t), folderOf(t)] as const;
  const rows = ROWS.map(([name, text]): [string, Buffer] => [name, Buffer.from(text)]);
  await writePageClosed(earlier[0], key, rows);
  await writeEachAlone(earlier[1], key, rows);
  for (const folder of [inTheOpen, ...earlier]) {
    equal(StateFile.faultOf(folder, key), "other_form");
    const file = StateFile.openAsItLies(folder, key)!;
    deepEqual(textsOf(file.all()).sort(), [...ROWS].sort());
    deepEqual(textsOf(file.rows("m:buyers/")).map(([rest]) => rest).sort(), ["u:canary-ada", "u:canary-bob"]);
    equal(Buffer.from(file.get("t:items:7")!).toString(), "canary item");
    await file.close();
  }
  for (const folder of earlier) equal(StateFile.openAsItLies(folder, keyFrom(2)), undefined);
});

test("small rows lie together: sixteen of a table, and the members of a segment whose names begin alike", async (t) => {
  const folder = folderOf(t);
  const key = keyFrom(1);
  const form = closedRows(key);
  const file = StateFile.open(folder, key);
  const members = Array.from({ length: 300 }, (_, i) => `m:buyers/u:${i}`).sort((a, b) => (form.nameOf(a) < form.nameOf(b) ? -1 : 1));
  const alike = members.filter((member) => form.groupOf(member) === form.groupOf(members[0]!));
  for (let slot = 0; slot < 40; slot++) file.write(`t:items:${slot}`, Uint8Array.of(slot));
  for (const member of members) file.write(member, new Uint8Array(0));
  await file.commit();
  for (let slot = 0; slot < 40; slot += 2) file.write(`t:items:${slot}`, slot < 32 ? Uint8Array.of(slot, slot) : null);
  for (let slot = 33; slot < 40; slot += 2) file.write(`t:items:${slot}`, null);
  for (const member of alike) file.write(member, null);
  await file.commit();
  const expected = Array.from({ length: 32 }, (_, slot) => [String(slot), slot % 2 === 0 ? [slot, slot] : [slot]]);
  const slots = [...file.rows("t:items:")].map(([slot, bytes]) => [slot, [...bytes]]);
  deepEqual(slots.sort(([a], [b]) => Number(a) - Number(b)), expected);
  deepEqual([...file.rows("m:buyers/")].map(([rest]) => `m:buyers/${rest}`), members.slice(alike.length));
  equal(file.get(members[0]!), undefined);
  await file.close();
  const groups = new Set([...members.slice(alike.length), "t:items:0", "t:items:16"].map((row) => form.groupOf(row)));
  deepEqual(new Set((await storedIn(folder)).keys()), groups);
});

test("the form of the bytes is for ever", () => {
  const form = closedRows(keyFrom(1));
  equal(form.nameOf("p:u:ada"), "p:Bs1H7Z6jBp7WgB7LaItAEr");
  const stored = Buffer.from("AXuAI2pdxU53VmklHruRQ/MAAAAAAAABA12tSu5s8eR5cqMLmEWa6uRe9fZEAkrC2kVYGJzu3w==", "base64");
  const { key, bytes } = form.read(form.nameOf("p:u:ada"), stored)!;
  deepEqual(textsOf([[key, bytes]]), [["p:u:ada", "a profile"]]);
  equal(stored.length, HEADER_BYTES + 2 + "u:ada".length + "a profile".length);
});
