// What tests of the embedded host share: a folder, a clock that is set by hand, and seeded visitors.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "node:test";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Rng } from "../../core/math/rng.ts";
import { shopProgram } from "../../core/program/shop.ts";
import type { LogRecord } from "../../core/record.ts";
import type { ProjectOptions } from "./opening.ts";
import { EmbeddedProject } from "./project.ts";

export const START_MS = 1_760_000_000_000;

export interface TestFolder {
  path: string;
  /** The folder as a crash would leave it now: a copy of its files. */
  crashed(): TestFolder;
  /** Deletes folders of it. */
  remove(...names: string[]): void;
  /** All files, one behind the other. */
  bytes(): Buffer;
}

const openProjects = new Set<EmbeddedProject>();
const folders = new Set<string>();

afterEach(async () => {
  for (const project of openProjects) await project.close();
  for (const path of folders) rmSync(path, { recursive: true, force: true });
  openProjects.clear();
  folders.clear();
});

/** A folder that is removed after the test. */
export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "attune-test-"));
  folders.add(path);
  return {
    path,
    crashed() {
      const copy = testFolder();
      cpSync(path, copy.path, { recursive: true });
      return copy;
    },
    remove(...names) {
      for (const name of names) rmSync(join(path, name), { recursive: true, force: true });
    },
    bytes() {
      const names = readdirSync(path, { recursive: true }).map((name) => join(path, String(name)));
      return Buffer.concat(names.filter((name) => statSync(name).isFile()).map((name) => readFileSync(name)));
    },
  };
}

export interface Clock {
  nowMs: number;
}

/** A project that is closed after the test; it takes no checkpoint by itself. */
export async function openProject(
  folder: TestFolder,
  clock: Clock,
  options: Partial<ProjectOptions> = {},
): Promise<EmbeddedProject> {
  const project = await EmbeddedProject.open({
    folder: folder.path,
    name: "default",
    firstProgram: shopProgram,
    now: () => clock.nowMs,
    checkpointEveryMs: 3_600_000,
    ...options,
  });
  openProjects.add(project);
  return project;
}

const TYPES = ["page_view", "view", "view", "click", "dwell", "add_to_cart", "purchase", "like", "dismiss", "search"];

/** An event of one of `persons` visitors, some of them anonymous at first, some late, some sent again. */
export function randomEvent(rng: Rng, clock: Clock, options: { persons: number; serial: number }): LoggedEvent {
  const person = rng.between(1, options.persons);
  const names = rng.between(0, 5);
  const type = TYPES[rng.between(0, TYPES.length - 1)]!;
  const isLate = rng.between(0, 5) === 0;
  return {
    // One in ten repeats an id that was used shortly before.
    event_id: `e${rng.between(0, 9) === 0 ? Math.max(0, options.serial - rng.between(1, 30)) : options.serial}`,
    ...(names === 0 ? {} : names < 4 ? { user_id: `u${person}` } : { anonymous_id: `a${person}` }),
    ...(names === 0 ? { user_id: `u${person}`, anonymous_id: `a${person}` } : {}),
    event_type: type,
    timestamp: clock.nowMs - (isLate ? rng.between(1, 600_000) : 0),
    received_at: clock.nowMs,
    ...(["page_view", "search"].includes(type) ? {} : { item_id: `i${rng.between(1, 40)}` }),
    ...(type === "dwell" ? { value: rng.between(1, 60) } : {}),
    ...(type === "purchase" ? { value: rng.between(1, 500) } : {}),
    context: { country: ["NO", "DE", "FR"][rng.between(0, 2)]!, device: "mobile" },
  };
}

/** Every record of the log, in order. */
export function recordsOf(
  project: EmbeddedProject,
  decode: (type: number, payload: Buffer) => LogRecord | undefined,
): LogRecord[] {
  return [...project.log.read(project.log.start)].map(({ type, payload }) => decode(type, payload)!);
}
