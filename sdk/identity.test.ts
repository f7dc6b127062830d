import assert from "node:assert/strict";
import { test } from "node:test";
import { SESSION_GAP_MS } from "../core/event/session-gap.ts";
import { consentState } from "./consent.ts";
import { openIdentity } from "./identity.ts";
import { eventIds, randomId } from "./ids.ts";
import { simulatedStore } from "./testing/simulation.ts";

const NOW_MS = 1_790_000_000_000;

test("tabs share one anonymous id and one session, which ends after 30 minutes without activity", () => {
  const store = simulatedStore();
  const [one, two] = [openIdentity(store, "p:", randomId), openIdentity(store, "p:", randomId)];
  assert.match(one.anonymousId(), /^[0-9a-f]{32}$/);
  assert.equal(two.anonymousId(), one.anonymousId());
  const first = one.session(NOW_MS);
  assert.equal(two.session(NOW_MS + SESSION_GAP_MS - 1), first);
  assert.equal(one.sessionNow(NOW_MS + 2 * SESSION_GAP_MS - 2), first);
  assert.equal(one.sessionNow(NOW_MS + 2 * SESSION_GAP_MS - 1), undefined);
  assert.notEqual(one.session(NOW_MS + 2 * SESSION_GAP_MS), first);
});

test("reset makes another visitor", () => {
  const identity = openIdentity(simulatedStore(), "p:", randomId);
  const before = [identity.anonymousId(), identity.session(NOW_MS)];
  identity.setUser("u1");
  assert.equal(identity.userId(), "u1");
  identity.reset();
  assert.equal(identity.userId(), undefined);
  assert.notDeepEqual([identity.anonymousId(), identity.session(NOW_MS)], before);
});

test("event ids are UUIDv7 and sort in the order they were made, however the clock moves", () => {
  const next = eventIds();
  const ids = Array.from({ length: 10_000 }, (_, i) => next(NOW_MS + (i % 3) - Math.floor(i / 5_000)));
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids.slice(0, 100)) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("consent: the browser's objection first, then the visitor's decision, then the site's default", () => {
  for (const mode of ["required", "granted"] as const) {
    for (const decided of [null, "granted", "denied"]) {
      for (const isObjecting of [false, true]) {
        const expected = isObjecting ? "denied" : (decided ?? (mode === "granted" ? "granted" : "pending"));
        assert.equal(consentState({ mode, decided, isObjecting }), expected);
      }
    }
  }
});
