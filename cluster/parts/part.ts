// One part of the cluster as a process of its own: started, watched until ready, stopped, killed, paused.
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Address, isListenedOn } from "./port.ts";
import { identify, isAlive, type ProcessIdentity, signal } from "./identity.ts";

const POLL_MS = 50;
const STOP_PATIENCE_MS = 20_000;
const READY_PATIENCE_MS = 120_000;
const LOG_TAIL_CHARACTERS = 3_000;
const OUTPUT_BYTES_MAX = 10 << 20;

/** How one part is run. */
export interface PartSpec {
  readonly name: string;
  /** Its logs, pid file and data; made by `prepare`. */
  readonly folder: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where it will listen. Whoever listens there already would be taken for it. */
  readonly listens?: readonly Address[];
  /** The file that it reads at its start, where its text comes of the cluster's plan; written before every start. */
  readonly settings?: { readonly file: string; readonly text: string };
  /** Makes folders and formats storage. Called before every start, so it must leave what is right as it is. */
  prepare(): Promise<void>;
  /** Whether it serves. Rejecting means not yet. */
  isReady(): Promise<boolean>;
}

/** A part died while starting, or did not become ready in time; the message carries the end of its log. */
export class PartError extends Error {
  override readonly name = "PartError";
}

/** `caller`: the system kills the part when this process ends, in whatever way. `own`: it stays, with its pid file. */
export type Lifetime = "caller" | "own";

export class Part {
  readonly spec: PartSpec;
  readonly #lifetime: Lifetime;
  #identity: ProcessIdentity | undefined;
  /** Where in its files the present process began to write. */
  #marks = new Map<string, number>();

  constructor(spec: PartSpec, lifetime: Lifetime) {
    this.spec = spec;
    this.#lifetime = lifetime;
    this.#identity = readPidFile(this.#pidFile);
  }

  get name(): string {
    return this.spec.name;
  }

  /** The running process; undefined where there is none. */
  get pid(): number | undefined {
    return this.isAlive ? this.#identity!.pid : undefined;
  }

  get isAlive(): boolean {
    if (this.#identity !== undefined && isAlive(this.#identity)) return true;
    // Another command may have started it anew meanwhile.
    this.#identity = readPidFile(this.#pidFile);
    return this.#identity !== undefined && isAlive(this.#identity);
  }

  get logFile(): string {
    return join(this.spec.folder, `${this.name}.log`);
  }

  get #pidFile(): string {
    return join(this.spec.folder, `${this.name}.pid`);
  }

  /** Starts it where it does not run, and waits until it serves. */
  async start(): Promise<void> {
    await this.spawn();
    await this.waitUntilReady();
  }

  /** Starts it where it does not run, without waiting; true where it was started now. */
  async spawn(): Promise<boolean> {
    if (this.isAlive) return false;
    for (const address of this.spec.listens ?? []) await this.#refuseTaken(address);
    mkdirSync(this.spec.folder, { recursive: true });
    await this.spec.prepare();
    const { settings } = this.spec;
    // They may hold passwords.
    if (settings !== undefined) writeFileSync(settings.file, settings.text, { mode: 0o600 });
    const output = this.#openOutput();
    for (const file of [this.logFile, this.#outputFile]) this.#marks.set(file, sizeOf(file));
    const ends = this.#lifetime === "caller" ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];
    const [program, ...args] = [...ends, this.spec.program, ...this.spec.args];
    const child = spawn(program!, args, {
      cwd: this.spec.folder,
      env: { ...process.env, ...this.spec.env },
      stdio: ["ignore", output, output],
      detached: this.#lifetime === "own",
    });
    closeSync(output);
    const failed = new Promise<never>((_, reject) => child.once("error", reject));
    if (child.pid === undefined) return failed;
    this.#identity = identify(child.pid);
    child.unref();
    if (this.#identity !== undefined) {
      // At once: whoever is interrupted leaves no process that nobody knows.
      writeFileSync(`${this.#pidFile}.tmp`, JSON.stringify(this.#identity));
      renameSync(`${this.#pidFile}.tmp`, this.#pidFile);
    }
    return true;
  }

  /** Whether what it was started with is what it would be started with now. */
  get hasSettings(): boolean {
    const { settings } = this.spec;
    return settings === undefined || (existsSync(settings.file) && readFileSync(settings.file, "utf8") === settings.text);
  }

  async waitUntilReady(): Promise<void> {
    const deadline = performance.now() + READY_PATIENCE_MS;
    for (;;) {
      if (!this.isAlive) throw new PartError(`${this.name} ended while starting:\n${this.logTail()}`);
      if (await this.isReady()) return;
      if (performance.now() > deadline)
        throw new PartError(`${this.name} was not ready within ${READY_PATIENCE_MS / 1_000} s:\n${this.logTail()}`);
      await setTimeout(POLL_MS);
    }
  }

  async isReady(): Promise<boolean> {
    return this.isAlive && (await this.spec.isReady().catch(() => false));
  }

  /** SIGTERM, and SIGKILL where that did not end it in time. */
  async stop(): Promise<void> {
    if (!this.#signal("SIGTERM")) return;
    this.#signal("SIGCONT");
    if (!(await this.#gone(STOP_PATIENCE_MS))) this.#signal("SIGKILL");
    await this.#gone(STOP_PATIENCE_MS);
    rmSync(this.#pidFile, { force: true });
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#gone(STOP_PATIENCE_MS);
  }

  /** SIGSTOP: the process stands still, its connections stay open. */
  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  /** The end of what the present process has logged, or of what the last one had. */
  logTail(): string {
    const texts = [this.#outputFile, this.logFile].map((file) => {
      const from = this.#marks.get(file) ?? 0;
      if (!existsSync(file)) return "";
      // A log that was rolled meanwhile begins anew.
      return readFileSync(file).subarray(from <= sizeOf(file) ? from : 0).toString();
    });
    return texts.map((text) => text.slice(-LOG_TAIL_CHARACTERS)).join("") || "(no log)";
  }

  async #refuseTaken(address: Address): Promise<void> {
    if (!(await isListenedOn(address))) return;
    const { host, port } = address;
    throw new PartError(`${this.name} was not started: another process listens on its port, ${host}:${port}; end that one first`);
  }

  get #outputFile(): string {
    return join(this.spec.folder, `${this.name}.out`);
  }

  #openOutput(): number {
    return openSync(this.#outputFile, sizeOf(this.#outputFile) > OUTPUT_BYTES_MAX ? "w" : "a");
  }

  #signal(name: NodeJS.Signals): boolean {
    return this.isAlive && signal(this.#identity!, name);
  }

  async #gone(patienceMs: number): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    while (this.isAlive) {
      if (performance.now() > deadline) return false;
      await setTimeout(POLL_MS);
    }
    return true;
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function readPidFile(path: string): ProcessIdentity | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { pid, started } = JSON.parse(readFileSync(path, "utf8")) as Partial<ProcessIdentity>;
    return Number.isInteger(pid) && typeof started === "string" ? { pid: pid!, started } : undefined;
  } catch {
    // Half a pid file names nobody.
    return undefined;
  }
}
