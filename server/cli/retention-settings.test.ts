import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_RETENTION } from "../privacy/retention.ts";
import { retentionOf } from "./config.ts";

test("ages come from the configuration, the rest by default; what cannot be is named", () => {
  deepEqual(retentionOf({}), DEFAULT_RETENTION);
  const set = retentionOf({ retention: { events: "30d", audit: "forever", dead_letters: "12h" } });
  deepEqual(set, { ...DEFAULT_RETENTION, events: 30 * 86_400_000, audit: Infinity, dead_letters: 12 * 3_600_000 });
  equal(retentionOf({ retention: { audit: "1095d" } }).audit, 1_095 * 86_400_000);
  throws(() => retentionOf({ retention: { events: "2d" } }), /retention\.events is 2d: at least 8d/);
  throws(() => retentionOf({ retention: { events: "soon" } }), /^UsageError: retention\.events is "soon"/);
  throws(() => retentionOf({ retention: { clicks: "2d" } as never }), /there is no "clicks"/);
});
