import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { makeKey } from "../../server/access/key-table.ts";
import { AccessState, decodeAccess, encodeAccess, type AccessRecord } from "./access-state.ts";
import { clusterKey, ClusterKeyError, newClusterKey } from "./cluster-key.ts";
import { sealedSessions } from "./sealed-sessions.ts";

const NOW_MS = 1_760_000_000_000;

function stateOf(records: readonly AccessRecord[], nowMs = NOW_MS): AccessState {
  const state = new AccessState({ now: () => nowMs, open: (sealed) => (sealed === "" ? undefined : sealed) });
  for (const record of records) state.apply(decodeAccess(encodeAccess(record)));
  return state;
}

test("a key that was revoked stays so, and one that was to end ends at the earliest, in whatever order servers said it", () => {
  const { stored, key } = makeKey({ project: "default", role: "admin", name: "a" }, 0, NOW_MS);
  const made: AccessRecord = { kind: "key", key: stored };
  const facts: AccessRecord[] = [
    { kind: "key_revoked", id: stored.id, atMs: NOW_MS },
    { kind: "key_ends", id: stored.id, atMs: NOW_MS + 1_000 },
    { kind: "key_ends", id: stored.id, atMs: NOW_MS + 9_000 },
    // Sent twice by a server that was not sure.
    made,
  ];
  for (const order of permutations(facts)) {
    const { table } = stateOf([made, ...order]);
    equal(table.find(key), undefined);
    equal(table.list()[0]!.expiresAtMs, NOW_MS + 1_000);
    equal(table.isEmpty, false, "a cluster whose keys were all revoked stays closed");
  }
  ok(stateOf([made, facts[1]!], NOW_MS + 999).table.find(key));
  equal(stateOf([made, facts[1]!], NOW_MS + 1_000).table.find(key), undefined);
});

test("secrets end when a later one says so, and one that another key closed is none of ours", () => {
  const secret = (id: string, sealed: string, endMs: number): AccessRecord => ({
    kind: "secret",
    id,
    project: "default",
    sealed,
    createdAtMs: NOW_MS,
    earlierEndAtMs: endMs,
  });
  const two = [secret("s1", "one", 0), secret("s2", "two", NOW_MS + 60_000)];
  deepEqual(stateOf(two).table.secrets("default").map(({ id }) => id), ["s2", "s1"]);
  deepEqual(stateOf(two, NOW_MS + 60_000).table.secrets("default").map(({ id }) => id), ["s2"]);
  deepEqual(stateOf(two).table.secrets("news"), []);
  const closed = stateOf([...two, secret("s3", "", NOW_MS + 60_000)]);
  deepEqual([[...closed.closed], closed.table.secrets("default").map(({ id }) => id)], [["default"], ["s2", "s1"]]);
  deepEqual([...stateOf([secret("s3", "", 0), ...two]).closed], []);
});

test("what is closed with one key opens with that one for that purpose alone, and not when a bit of it was changed", () => {
  const [ours, theirs] = [newClusterKey(), newClusterKey()];
  const sealed = clusterKey(ours, "sessions").seal("Ada's session");
  equal(clusterKey(ours, "sessions").open(sealed), "Ada's session");
  equal(clusterKey(ours, "user tokens").open(sealed), undefined);
  equal(clusterKey(theirs, "sessions").open(sealed), undefined);
  const bytes = Buffer.from(sealed, "base64url");
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i]! ^= 1;
    equal(clusterKey(ours, "sessions").open(changed.toString("base64url")), undefined);
  }
  for (const nonsense of ["", "x", "AAAA"]) equal(clusterKey(ours, "sessions").open(nonsense), undefined);
  for (const key of [undefined, "", "c2hvcnQ="]) throws(() => clusterKey(key, "sessions"), ClusterKeyError);
});

test("a session ends with its time, its key or a logout, however its cookie is spelled", async () => {
  let nowMs = NOW_MS;
  const { stored } = makeKey({ project: "default", role: "admin", name: "a" }, 0, NOW_MS);
  const state = new AccessState({ now: () => nowMs, open: (sealed) => sealed });
  state.apply({ kind: "key", key: stored });
  const ring = { isInForce: (id: string) => state.table.isInForce(id) } as never;
  const sessions = sealedSessions({
    ring,
    key: clusterKey(newClusterKey(), "sessions"),
    isEnded: (id) => state.isEnded(id),
    end: async (id, untilMs) => state.apply({ kind: "session_ended", id, untilMs }),
    now: () => nowMs,
  });
  const facts = { project: "default", role: "admin", keyId: stored.id } as const;
  const [one, two] = [sessions.open(facts), sessions.open(facts)];
  const session = sessions.find(one)!;
  deepEqual([session.project, session.role, session.keyId], ["default", "admin", stored.id]);
  ok(sessions.find(`${one}=`), "a second spelling of the same bytes");
  await sessions.end(one);
  deepEqual([sessions.find(one), sessions.find(`${one}=`), sessions.isOpen(session)], [undefined, undefined, false]);
  ok(sessions.find(two));
  for (const forged of ["", "nonsense", "x".repeat(5_000), two.slice(0, -4)]) equal(sessions.find(forged), undefined);
  nowMs += 8 * 3_600_000;
  equal(sessions.find(two), undefined, "eight hours later");
  nowMs = NOW_MS;
  state.apply({ kind: "key_revoked", id: stored.id, atMs: nowMs });
  equal(sessions.find(two), undefined, "its key was revoked");
});

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((one, i) => permutations(list.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}
