// A compact test report: one line a file, every failure in full, the counts as the very last line.
import { relative } from "node:path";
import { inspect } from "node:util";
import type { TestEvent } from "node:test/reporters";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text =
    cause instanceof Error ? (cause.stack ?? cause.message) : typeof cause === "string" ? cause : inspect(cause);
  const nested = cause instanceof Error && cause.cause !== undefined ? `\ncaused by: ${causeOf(cause)}` : "";
  return (text + nested).replace(/^/gm, "    ");
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  // Files report one after the other, and a test may be declared in another file than the one that is run.
  let before = { ...total };
  const names: string[] = [];
  const failures: string[] = [];

  for await (const event of source) {
    if (event.type === "test:start") {
      names.length = event.data.nesting;
      names.push(event.data.name);
    } else if (event.type === "test:pass" || event.type === "test:fail") {
      const { name, file = "", nesting, details, skip } = event.data;
      const path = relative(process.cwd(), file);
      // A suite, and the file as a whole, are not tests; where one of them fails by itself, that counts.
      const isTest = details.type !== "suite";
      if (event.type === "test:fail") {
        const error = (details as { error?: Error & { failureType?: string } }).error;
        // A suite that only passes on its tests' failure has been reported by them.
        if (error?.failureType === "subtestsFailed") continue;
        total.failed++;
        const title = [...names.slice(0, nesting), name].join(" › ");
        failures.push(title);
        yield `FAIL ${path}: ${title}\n${causeOf(error)}\n`;
      } else if (isTest && skip !== undefined && skip !== false) {
        total.skipped++;
        yield `skip ${path}: ${name}${typeof skip === "string" && skip !== "" ? ` (${skip})` : ""}\n`;
      } else if (isTest) total.passed++;
    } else if (event.type === "test:summary" && event.data.file !== undefined) {
      const path = relative(process.cwd(), event.data.file);
      const tests = total.passed + total.failed - before.passed - before.failed;
      before = { ...total };
      const mark = event.data.success ? "ok  " : "FAIL";
      yield `${mark} ${path}  ${plural(tests, "test")}  ${Math.round(event.data.duration_ms)} ms\n`;
    } else if (event.type === "test:stderr" || event.type === "test:stdout") {
      yield event.data.message;
    }
  }
  if (failures.length > 0) yield `\nFailed:\n${failures.map((title) => `  ${title}\n`).join("")}`;
  yield `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}\n`;
}
