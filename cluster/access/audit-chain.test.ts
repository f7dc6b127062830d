import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { nextEntry, type Anchor } from "../../server/audit/chain.ts";
import { SharedChain, START, TrailCheck } from "./audit-chain.ts";

/** Park and Miller's generator. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 0x7fffffff) % below;
}

interface Trail {
  records: string[];
  /** Places of the records that count. */
  taken: number[];
  head: Anchor;
}

/** What servers write that see each other's records late: each record follows the newest that its writer has read. */
function trailOf(seed: number, count: number): Trail {
  const random = randomOf(seed);
  const records: string[] = [];
  const taken: number[] = [];
  const servers = [0, 1, 2].map(() => ({ chain: new SharedChain(START), read: 0 }));
  const all = new SharedChain(START);
  for (let at = 0; records.length < count; at++) {
    const server = servers[random(servers.length)]!;
    const reads = random(3) === 0 ? records.length : Math.min(records.length, server.read + random(3));
    while (server.read < reads) server.chain.take(records[server.read++]!);
    let { head } = server.chain;
    const actor = `key_${random(9)}`;
    const lines = Array.from({ length: 1 + random(4) }, (_, i) =>
      JSON.stringify((head = nextEntry({ at: at * 10 + i, project: "default", actor, action: "PUT /v1/program" }, head))),
    );
    if (all.take(lines.join("\n")).kind === "taken") taken.push(records.length);
    records.push(lines.join("\n"));
  }
  return { records, taken, head: all.head };
}

function check(records: readonly string[], anchors: readonly Anchor[] = []): TrailCheck {
  const found = new TrailCheck(anchors);
  records.forEach((text, offset) => found.take(text, offset));
  found.end(records.length);
  return found;
}

test("servers that write at the same time make one chain; what was late counts nowhere", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { records, taken, head } = trailOf(seed, 200);
    ok(taken.length < records.length && taken.length > 20, `seed ${seed}: ${taken.length} of ${records.length}`);
    const whole = check(records, [head]);
    deepEqual([whole.fault, whole.head], [undefined, head], `seed ${seed}`);
    equal(whole.entries, head.seq);
    // Who begins to read in the middle comes to the same head.
    for (const from of [1, 50, 120]) {
      const chain = new SharedChain();
      for (const text of records.slice(from)) chain.take(text);
      deepEqual(chain.head, head, `seed ${seed}, from ${from}`);
    }
  }
});

test("any change, removal, exchange or cut of what counts is found", () => {
  const random = randomOf(7);
  let trials = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const trail = trailOf(seed, 60);
    for (let i = 0; i < 40; i++, trials++) {
      const records = [...trail.records];
      const place = trail.taken[random(trail.taken.length)]!;
      const kind = ["change", "remove", "exchange", "cut", "forge"][random(5)]!;
      if (kind === "change") {
        const at = random(records[place]!.length);
        const letter = records[place]![at] === "x" ? "y" : "x";
        records[place] = records[place]!.slice(0, at) + letter + records[place]!.slice(at + 1);
      } else if (kind === "remove") records.splice(place, 1);
      else if (kind === "cut") records.length = trail.taken[random(trail.taken.length)]!;
      else if (kind === "forge") {
        const forged = nextEntry({ at: 1, project: "default", actor: "x", action: "y" }, { ...trail.head, hash: "0".repeat(64) });
        records.push(JSON.stringify(forged));
      } else {
        const other = trail.taken[(trail.taken.indexOf(place) + 1) % trail.taken.length]!;
        [records[place], records[other]] = [records[other]!, records[place]!];
      }
      notEqual(check(records, [trail.head]).fault, undefined, `seed ${seed}, trial ${i}: ${kind} at ${place}`);
    }
  }
  equal(trials, 2_000);
});

test("a trail that was written anew as a whole does not fit a head that was seen before", () => {
  const [before, after] = [trailOf(3, 50), trailOf(4, 200)];
  equal(check(after.records).fault, undefined);
  equal(check(after.records, [before.head]).fault?.kind, "changed");
  equal(check(before.records, [after.head]).fault?.kind, "cut_off");
});
