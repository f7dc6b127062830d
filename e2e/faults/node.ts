// The real node as a process of its own, to be killed, cut off and filled up.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProfileFigures, SentEvent } from "./ledger.ts";

const MAIN = fileURLToPath(new URL("../../server/cli/main.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("./attune.config.ts", import.meta.url));
const NODE_ARGUMENTS = ["--disable-warning=ExperimentalWarning", MAIN];
const STDERR_CHARACTERS_MAX = 20_000;

export interface NodeOptions {
  dataFolder: string;
  /** A command that runs the node, e.g. strace. */
  wrap?: readonly string[];
  environment?: Record<string, string>;
  /** Folder of a control group that the node belongs to from its first instruction. */
  memoryGroup?: string;
}

export interface RunningNode {
  readonly url: string;
  /** Of the node, or of what wraps it. */
  readonly pid: number;
  /** Sends SIGKILL to the node itself, not to what wraps it. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; asserts that it drains and exits 0. */
  stop(): Promise<void>;
  readonly exited: Promise<void>;
  readonly isGone: boolean;
  /** The signal that ended it, as far as what wraps it tells. */
  readonly endedBy: NodeJS.Signals | null;
}

/** What became of a start: the node died before it was ready where `node` is undefined. */
export interface Start {
  readonly child: ChildProcess;
  readonly ready: Promise<RunningNode | undefined>;
  kill(): Promise<void>;
  readonly stderr: () => string;
}

export function startNode({ dataFolder, wrap = [], environment = {}, memoryGroup }: NodeOptions): Start {
  const join = memoryGroup === undefined ? [] : ["sh", "-c", `echo $$ > ${memoryGroup}/cgroup.procs && exec "$@"`, "sh"];
  const node = [process.execPath, ...NODE_ARGUMENTS, "start", "--config", CONFIG];
  const [command, ...args] = [...join, ...wrap, ...node];
  const env = {
    ...process.env,
    ATTUNE_PORT: "0",
    ATTUNE_HOST: "127.0.0.1",
    ATTUNE_DATA: dataFolder,
    ATTUNE_DEMO: "0",
    ATTUNE_LOG_LEVEL: "error",
    ...environment,
  };
  const child = spawn(command!, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS_MAX);
  });
  let isGone = false;
  const exited = new Promise<void>((resolve) => child.once("close", () => ((isGone = true), resolve())));
  const kill = async (): Promise<void> => {
    if (!isGone) killProcess(wrap.length === 0 ? child.pid! : tracee(child.pid!));
    await exited;
  };
  const ready = new Promise<RunningNode | undefined>((resolve) => {
    void exited.then(() => resolve(undefined));
    createInterface(child.stdout).on("line", (line) => {
      const url = /^attune listening on (http:\S+)$/.exec(line)?.[1];
      if (url === undefined) return;
      resolve({
        url,
        pid: child.pid!,
        kill,
        exited,
        get isGone() {
          return isGone;
        },
        get endedBy() {
          return child.signalCode;
        },
        async stop() {
          child.kill("SIGTERM");
          await exited;
          assert.equal(child.exitCode, 0, `the node drains and exits 0; it said:\n${stderr}`);
        },
      });
    });
  });
  return { child, ready, kill, stderr: () => stderr };
}

/** Starts a node that must come up. */
export async function readyNode(options: NodeOptions): Promise<RunningNode> {
  const start = startNode(options);
  const node = await start.ready;
  assert.ok(node !== undefined, `the node did not start:\n${start.stderr()}`);
  return node;
}

/** The process that a tracer runs, its only child; undefined where it has ended by itself. */
function tracee(pid: number): number | undefined {
  const children = unlessGone(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  return children === undefined || children === "" ? undefined : Number(children.split(" ")[0]);
}

function killProcess(pid: number | undefined): void {
  if (pid !== undefined) unlessGone(() => process.kill(pid, "SIGKILL"));
}

/** The process may be faster. */
function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH" || code === "ENOENT") return undefined;
    throw error;
  }
}

/** Runs another command of the command line on the data folder; its exit code and output. */
export async function runCommand(dataFolder: string, command: string): Promise<{ code: number; output: string }> {
  const env = { ...process.env, ATTUNE_DATA: dataFolder };
  const args = [...NODE_ARGUMENTS, command, "--config", CONFIG];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  return { code, output: code === 0 ? output : output + stderr };
}

/** `gone`: no answer came; otherwise the status, and what `Retry-After` said. */
export type PostAnswer = { status: number; retryAfterS: number | undefined } | "gone";

export async function postEvents(url: string, events: readonly SentEvent[]): Promise<PostAnswer> {
  let response: Response;
  let text: string;
  try {
    const body = JSON.stringify(events.length === 1 ? events[0] : { events });
    const headers = { "content-type": "application/json", "user-agent": "attune-faults" };
    response = await fetch(`${url}/v1/events`, { method: "POST", headers, body });
    text = await response.text();
  } catch {
    return "gone";
  }
  if (response.status === 202) {
    const answer = JSON.parse(text) as { accepted: number; duplicates: number; rejected: unknown[] };
    assert.deepEqual(answer.rejected, [], "good events are never rejected");
    assert.equal(answer.accepted + answer.duplicates, events.length);
  }
  const retryAfter = response.headers.get("retry-after");
  return { status: response.status, retryAfterS: retryAfter === null ? undefined : Number(retryAfter) };
}

export async function putProgram(url: string, program: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/v1/program`, { method: "PUT", headers, body: JSON.stringify(program) });
  assert.equal(response.status, 200, await response.text());
}

export async function profileFigures(url: string, userIds: readonly string[]): Promise<Map<string, ProfileFigures>> {
  const figures = new Map<string, ProfileFigures>();
  for (const id of userIds) {
    const response = await fetch(`${url}/v1/users/${id}/profile`);
    if (response.status === 404) continue;
    assert.equal(response.status, 200, await response.clone().text());
    const { features } = (await response.json()) as { features: Record<string, number> };
    figures.set(id, { hits: features["hits"] ?? 0, total: features["total"] ?? 0 });
  }
  return figures;
}
