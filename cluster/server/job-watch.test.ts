import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { IDLE_MAX_MS, JobProgress } from "./job-watch.ts";

test("a job that confirms nothing for a minute is not ready, however little lies before it", () => {
  const progress = new JobProgress(0);
  deepEqual(progress.figures(1_000), { ready: false, lag: Infinity, idle_s: 1 }, "nobody was asked yet");
  progress.look({ end: 100, lag: undefined }, 2_000);
  deepEqual(progress.figures(2_000), { ready: false, lag: Infinity, idle_s: 2 }, "it never confirmed anything");
  progress.look({ end: 110, lag: 10 }, 3_000);
  deepEqual(progress.figures(3_000), { ready: true, lag: 10, idle_s: 0 });
  progress.look({ end: 130, lag: 30 }, 4_000);
  deepEqual(progress.figures(3_000 + IDLE_MAX_MS), { ready: true, lag: 30, idle_s: 60 });
  deepEqual(progress.figures(3_001 + IDLE_MAX_MS), { ready: false, lag: 30, idle_s: 60 });
  progress.look({ end: 140, lag: 39 }, 70_000);
  deepEqual(progress.figures(70_000), { ready: true, lag: 39, idle_s: 0 }, "it goes on");
});
