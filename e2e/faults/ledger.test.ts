import assert from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { Ledger, type ProfileFigures } from "./ledger.ts";

const NOTHING: ReadonlyMap<string, ProfileFigures> = new Map();

function ledgerWith(events: number) {
  const ledger = new Ledger();
  ledger.newPersons(2);
  return { ledger, sent: ledger.newEvents(rngFrom(1), events) };
}

test("what is acknowledged while profiles are read was not promised before", () => {
  const { ledger, sent } = ledgerWith(10);
  const promised = ledger.promised();
  ledger.acked(sent);
  assert.deepEqual(ledger.compareProfiles(NOTHING, promised), { lost: 0, doubled: 0 });
});

test("what was acknowledged before is missed", () => {
  const { ledger, sent } = ledgerWith(10);
  ledger.acked(sent);
  const { lost } = ledger.compareProfiles(NOTHING, ledger.promised());
  assert.equal(lost, [...ledger.promised().values()].reduce((sum, { hits }) => sum + hits, 0));
  assert.ok(lost > 0);
});

test("more than was sent is counted twice", () => {
  const { ledger } = ledgerWith(10);
  const figures = new Map(ledger.userIds().map((id) => [id, { hits: 11, total: 11 }]));
  assert.ok(ledger.compareProfiles(figures, ledger.promised()).doubled > 0);
});
