// The command line as a user runs it: real processes on a real folder.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "attune-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  code: number;
  out: string;
  error: string;
}

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    env: { ...process.env, ATTUNE_LOG_LEVEL: "error", ...env },
    cwd: folder,
  });
  let [out, error] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (error += chunk));
  const done = once(child, "close").then(([code]): Run => ({ code, out, error }));
  return { child, done };
}

const run = (...args: string[]): Promise<Run> => start(args).done;

function eventFile(name: string, lines: readonly unknown[]): string {
  const path = join(folder, name);
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

const event = (i: number) => ({
  event_id: `e${i}`,
  user_id: `u${i % 5}`,
  event_type: "view",
  timestamp: new Date(Date.UTC(2017, 9, 1) + i * 1_000).toISOString(),
  item_id: `i${i % 7}`,
});

test("import takes the good lines, keeps the bad ones with file and line, and changes nothing the second time", async () => {
  const data = join(folder, "import");
  const noId = { user_id: "u9", event_type: "view", timestamp: "2017-10-01T00:00:00Z", item_id: "i1" };
  const lines = [
    ...Array.from({ length: 30 }, (_, i) => event(i)),
    "{not json",
    { ...event(31), event_type: "No" },
    noId,
    "",
  ];
  const events = eventFile("events.ndjson.gz", lines);
  const items = eventFile("items.ndjson", [{ item_id: "i1", title: "One", categories: ["a"] }, { title: "no id" }]);
  const first = await run("import", "--data", data, "--items", items, events);
  match(first.out, /^items: 1 accepted, 1 rejected; events: 31 accepted, 0 duplicates, 2 rejected; [\d.]+ s\n$/);
  equal(first.code, 0);
  const second = await run("import", "--data", data, events);
  match(second.out, /^events: 0 accepted, 31 duplicates, 2 rejected/);
  deepEqual(second.error.trim().split("\n").map((line) => line.replace(`${events}:`, "line ").replace(/(not JSON).*/, "$1")), [
    "attune: 1 × bad_json, first line 31: the line is not JSON",
    "attune: 1 × event_type_invalid, first line 32: event_type is a lower-case letter, then up to 63 of a-z, 0-9 and _",
    "attune: what was refused is kept: Dead letters in the console, or GET /v1/dead-letters",
  ]);
  const exported = await run("export", "--data", data);
  const back = exported.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event_id: string });
  equal(back.length, 31);
  deepEqual(back[0], event(0));
  const verified = await run("verify", "--data", data);
  equal(verified.code, 0);
  match(verified.out, /\n0 differences\n$/);
});

test("import takes what is packed whatever it is called, bounds a line, and says what looks wrong", async () => {
  const data = join(folder, "odd");
  const seconds = { ...event(2), timestamp: 1_506_816_000 };
  const long = `{"user_id":"u1","event_type":"view","item_id":"${"x".repeat(2_000_000)}`;
  const lines = [event(1), long, seconds].map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\r\n");
  const [packed, plain] = [join(folder, "packed.ndjson"), join(folder, "plain.ndjson.gz")];
  writeFileSync(packed, gzipSync(`\ufeff${lines}\r\n`));
  writeFileSync(plain, lines);
  for (const [file, counts] of [[packed, /^events: 2 accepted, 0 duplicates, 1 rejected/], [plain, /^events: 0 accepted, 2 duplicates, 1/]] as const) {
    const { out, error } = await run("import", "--data", data, file);
    match(out, counts);
    match(error, /:2: the line is longer than 1048576 characters\n/);
    match(error, /events from before the year 2000: 1; Unix time is in milliseconds/);
  }
  const latin = join(folder, "latin.ndjson");
  writeFileSync(latin, JSON.stringify({ ...event(6), item_id: "caf\u00e9" }), "latin1");
  const encoded = await run("import", "--data", data, latin);
  match(encoded.out, /^events: 0 accepted, 0 duplicates, 1 rejected/);
  match(encoded.error, /:1: the line is not UTF-8: convert the file, and import it again\n/);
  const swapped = await run("import", "--data", data, "--items", eventFile("swapped.ndjson", [event(5)]));
  match(swapped.error, /lines of --items with an event_type, as events have: 1; is it the catalogue\?/);
});

test("an import that breaks off says what it has taken, and the next one goes on", async () => {
  const data = join(folder, "cut");
  const text = Array.from({ length: 20_000 }, (_, i) => JSON.stringify(event(i))).join("\n");
  const cut = join(folder, "cut.ndjson.gz");
  const bytes = gzipSync(text);
  writeFileSync(cut, bytes.subarray(0, bytes.length - 5_000));
  const broken = await run("import", "--data", data, cut);
  equal(broken.code, 1);
  const [, taken] = /^attune: (\d+) events were accepted before, and stay: .*\nattune: .* cannot be read after line \d+: unexpected end of file\n$/.exec(broken.error) ?? [];
  ok(Number(taken) > 0, broken.error);
  writeFileSync(cut, bytes);
  match((await run("import", "--data", data, cut)).out, new RegExp(`^events: ${20_000 - Number(taken)} accepted, ${taken} duplicates, 0 rejected`));
});

test("what is exported can be imported again, from standard input too", async () => {
  const events = eventFile(
    "round.ndjson",
    Array.from({ length: 20 }, (_, i) => event(i)),
  );
  await run("import", "--data", join(folder, "a"), events);
  const exported = await run("export", "--data", join(folder, "a"));
  const { child, done } = start(["import", "--data", join(folder, "b"), "-"]);
  child.stdin.end(exported.out);
  match((await done).out, /^events: 20 accepted/);
  equal((await run("export", "--data", join(folder, "b"))).out, exported.out);
  const packed = start(["import", "--data", join(folder, "b"), "-"]);
  packed.child.stdin.end(gzipSync(exported.out));
  match((await packed.done).out, /^events: 0 accepted, 20 duplicates, 0 rejected/);
});

test("what shaped no profile is not exported, so it shapes none where the export is imported", async () => {
  const [data, copy] = [join(folder, "marked"), join(folder, "marked-copy")];
  const { child, done } = start(["start", "--data", data, "--port", "0", "--grpc-port", "off"], { ATTUNE_DEMO: "0", ATTUNE_HOST: "" });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const url = line.slice(line.indexOf("http"));
  const bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
  const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const senders: Record<string, string>[] = [{ "user-agent": bot }, { "user-agent": firefox, "sec-gpc": "1" }, { "user-agent": firefox }];
  for (const [i, headers] of senders.entries()) {
    const body = JSON.stringify({ ...event(i), timestamp: Date.now() });
    equal((await fetch(`${url}/v1/events`, { method: "POST", headers, body })).status, 202);
  }
  child.kill("SIGTERM");
  await done;
  const { out, error } = await run("export", "--data", data);
  deepEqual(out.trim().split("\n").map((text) => (JSON.parse(text) as { event_id: string }).event_id), ["e2"]);
  equal(error, "attune: 2 events left out, as they are from profiles: bots, patterns no human makes, Global Privacy Control\n");
  match((await run("import", "--data", copy, eventFile("marked.ndjson", [out.trim()]))).out, /^events: 1 accepted/);
  match((await run("verify", "--data", copy)).out, /2 records, 1 persons\n0 differences\n$/);
});

test("the exported catalogue is the one that the node serves: each item once, as it is now, without those that were deleted", async () => {
  const [data, copy] = [join(folder, "catalogue"), join(folder, "catalogue-copy")];
  const item = (n: number, title: string) => ({ item_id: `i${n}`, categories: ["a"], tags: [], title, published_at: "2026-01-05T00:00:00.000Z" });
  await run("import", "--data", data, "--items", eventFile("catalogue.ndjson", [item(1, "one"), item(2, "two"), item(3, "three")]));
  const { child, done } = start(["start", "--data", data, "--port", "0", "--grpc-port", "off"], { ATTUNE_DEMO: "0", ATTUNE_HOST: "" });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const url = line.slice(line.indexOf("http"));
  equal((await fetch(`${url}/v1/items/i2`, { method: "DELETE" })).status, 204);
  const body = JSON.stringify({ items: [item(1, "one, new")] });
  equal((await fetch(`${url}/v1/items`, { method: "PUT", headers: { "content-type": "application/json" }, body })).status, 200);
  child.kill("SIGTERM");
  await done;
  const exported = await run("export", "--items", "--data", data);
  deepEqual(exported.out.trim().split("\n").map((text) => JSON.parse(text) as unknown), [item(3, "three"), item(1, "one, new")]);
  await run("import", "--data", copy, "--items", eventFile("catalogue-again.ndjson", [exported.out.trim()]));
  equal((await run("export", "--items", "--data", copy)).out, exported.out);
});

test("who allows no profile is not exported, so an import elsewhere makes none", async () => {
  const data = join(folder, "denied");
  await run("import", "--data", data, eventFile("denied.ndjson", Array.from({ length: 10 }, (_, i) => event(i))));
  const { child, done } = start(["start", "--data", data, "--port", "0", "--grpc-port", "off"], { ATTUNE_DEMO: "0", ATTUNE_HOST: "" });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const url = line.slice(line.indexOf("http"));
  const headers = { "content-type": "application/json" };
  const consent = { method: "PUT", headers, body: JSON.stringify({ profiling: "denied" }) };
  equal((await fetch(`${url}/v1/privacy/users/u1/consent`, consent)).status, 200);
  child.kill("SIGTERM");
  await done;
  const { out, error } = await run("export", "--data", data);
  const persons = new Set(out.trim().split("\n").map((text) => (JSON.parse(text) as { user_id: string }).user_id));
  deepEqual([...persons], ["u0", "u2", "u3", "u4"]);
  equal(error, "attune: 2 events left out, of persons who allow no profile of theirs\n");
});

test("an import tells whom it leaves out because they allow no events or were erased", async () => {
  const data = join(folder, "left-out");
  const { child, done } = start(["start", "--data", data, "--port", "0", "--grpc-port", "off"], { ATTUNE_DEMO: "0", ATTUNE_HOST: "" });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const url = line.slice(line.indexOf("http"));
  const consent = { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ analytics: "denied" }) };
  equal((await fetch(`${url}/v1/privacy/users/u1/consent`, consent)).status, 200);
  equal((await fetch(`${url}/v1/privacy/users/u2`, { method: "DELETE" })).status, 202);
  child.kill("SIGTERM");
  equal((await done).code, 0);
  const events = eventFile("left-out.ndjson", [...Array.from({ length: 5 }, (_, i) => event(i)), { ...event(6), event_type: "No" }]);
  const { out, error } = await run("import", "--data", data, events);
  match(out, /^events: 3 accepted, 0 duplicates, 3 rejected/);
  match(error, /: 1 × no_consent, first \S+:2: .*\n/);
  match(error, /: 1 × erased, first \S+:3: .*\n/);
});

test("an export that the disk has no room for says that it is not whole", { skip: !existsSync("/dev/full") }, async () => {
  const data = join(folder, "full");
  await run("import", "--data", data, eventFile("full.ndjson", [event(1)]));
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "export", "--data", data], {
    cwd: folder,
    stdio: ["ignore", full, "pipe"],
  });
  let error = "";
  child.stderr!.on("data", (chunk) => (error += chunk));
  const [code] = (await once(child, "close")) as [number];
  closeSync(full);
  equal(code, 1);
  match(error, /^attune: standard output cannot be written to, so what is there is not whole: ENOSPC.*\n$/);
});

test("start says where it listens, refuses a second process on its folder, takes a replay, and ends with 0 on SIGTERM", async () => {
  const data = join(folder, "start");
  const { child, done } = start(["start", "--data", data, "--port", "0"], { ATTUNE_DEMO: "0", ATTUNE_HOST: "", ATTUNE_GRPC_PORT: "" });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const url = /^attune listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1];
  ok(url, line);
  const second = await run("import", "--data", data, eventFile("x.ndjson", [event(1)]));
  equal(second.code, 1);
  match(second.error, new RegExp(`in use by process ${child.pid}`));
  const replayed = await run(
    "replay",
    "--speed",
    "1000000",
    "--url",
    url,
    eventFile("old.ndjson", [event(1), event(2)]),
  );
  match(replayed.out, /^events: 2 accepted, 0 duplicates, 0 rejected, 0 unreadable/);
  equal(replayed.error, "");
  const odd = [
    { ...event(3), sent_at: event(3).timestamp },
    "no json",
    { ...event(4), event_type: "no_such" },
    ...Array.from({ length: 150 }, (_, i) => ({ ...event(100 + i), user_id: "odd", additional_data: { note: "x".repeat(15_000) } })),
  ];
  const file = eventFile("odd-replay.ndjson", odd);
  const oddly = await run("replay", "--speed", "1e12", "--url", url, file);
  match(oddly.out, /^events: 151 accepted, 0 duplicates, 1 rejected, 1 unreadable/);
  match(oddly.error, new RegExp(`1 × unreadable, first ${file}:2: .*\n.*1 × event_type_unknown, first ${file}:3: .*declare`));
  const profile = (await (await fetch(`${url}/v1/users/u1/profile`)).json()) as { recent: unknown[] };
  equal(profile.recent.length, 1);
  child.kill("SIGTERM");
  equal((await done).code, 0);
});

test("variables that are set to nothing leave the defaults", async () => {
  const unset = { ATTUNE_KEK_FOLDER: "", ATTUNE_ENCRYPTION: "", ATTUNE_BACKUP_KEYS: "" };
  const home = join(folder, "home");
  const [data, copy] = [join(folder, "unset"), join(folder, "unset-copy")];
  const calls = [
    ["import", "--data", data, eventFile("unset.ndjson", [event(1)])],
    ["backup", "--data", data, "--to", copy],
    ["restore", "--data", join(folder, "unset-back"), "--from", copy],
    ["audit", "verify", "--data", data],
  ];
  for (const args of calls) {
    const { code, error } = await start(args, { ...unset, HOME: home }).done;
    equal(code, 0, `${args[0]}: ${error}`);
  }
  deepEqual(readdirSync(join(home, ".config", "attune")).toSorted(), ["backup-keys", "keys"]);
});

test("a wrong call says what would be right, and exits with 2", async () => {
  const calls: [string[], RegExp][] = [
    [["dance"], /"dance" is no command; one of start.*, cluster\n$/],
    [["constructor"], /"constructor" is no command; one of start.*, cluster\n$/],
    [["verify", "--hop"], /there is no option --hop; there are --project/],
    [["import"], /name a file/],
    [["start", "--port", "http"], /ATTUNE_PORT is "http", which is no port/],
    [["start", "--host", "0.0.0.0"], /others can reach/],
    [["replay", "--speed=-1", "x"], /a number above 0/],
    [["replay", "--url", "localhost:8080", "x"], /a URL such as/],
    [["replay", "x", "y"], /name one file/],
    [["import", "--project", "My Shop", "--data", join(folder, "m"), "x"], /"My Shop" is no project name/],
  ];
  for (const [args, message] of calls) {
    const { code, error } = await run(...args);
    match(error, message);
    equal(error.trim().split("\n").length, 1, error);
    equal(code, 2, args.join(" "));
  }
  const missing = await run("import", "--data", join(folder, "m"), join(folder, "nothing.ndjson"));
  equal(missing.code, 1);
  match(missing.error, /nothing\.ndjson cannot be read/);
});

test("each command says what it takes", async () => {
  const names = ["start", "import", "replay", "evaluate", "export", "verify", "keys", "backup", "restore", "audit"];
  for (const name of names) {
    const { code, out, error } = await run(name, "--help");
    equal(code, 0, error);
    match(out, new RegExp(`^attune ${name}\\b[^]*--`));
    equal(error, "");
  }
  match((await run("-h")).out, /^attune <command>/);
  for (const flag of ["--help", "-h"]) {
    match((await run("evaluate", "--off-policy", flag)).out, /^attune evaluate --off-policy FILE\n[^]*--target/);
    match((await run("evaluate", flag)).out, /^attune evaluate FILE \|/);
  }
});

test("start warns of projects in its folder that no setting names", async () => {
  const data = join(folder, "not-named");
  const file = eventFile("not-named.ndjson", [event(1)]);
  for (const project of ["default", "outlet"]) await run("import", "--data", data, "--project", project, file);
  const args = ["start", "--data", data, "--port", "0", "--grpc-port", "off"];
  const { child, done } = start(args, { ATTUNE_DEMO: "0", ATTUNE_HOST: "", ATTUNE_LOG_LEVEL: "warn" });
  await once(createInterface({ input: child.stdout! }), "line");
  child.kill("SIGTERM");
  const lines = (await done).error.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { projects?: string[]; msg: string });
  const warning = lines.find(({ projects }) => projects !== undefined);
  deepEqual(warning?.projects, ["outlet"]);
  match(warning!.msg, /no setting names.*attune\.config\.ts/);
});

test("verify and export make no project of a folder that was mistyped", async () => {
  for (const command of ["verify", "export"]) {
    const { code, error } = await run(command, "--data", join(folder, "mistyped"));
    equal(code, 2);
    match(error, /there is no project "default" in .*mistyped/);
  }
  equal(existsSync(join(folder, "mistyped")), false);
});

test("export ends quietly when its reader has enough", async () => {
  const data = join(folder, "enough");
  await run("import", "--data", data, eventFile("enough.ndjson", Array.from({ length: 12_000 }, (_, i) => event(i))));
  const whole = await run("export", "--data", data);
  deepEqual([whole.code, whole.error, whole.out.trim().split("\n").length], [0, "", 12_000]);
  const { child, done } = start(["export", "--data", data]);
  child.stdout.once("data", () => child.stdout.destroy());
  const { code, error } = await done;
  deepEqual([code, error], [0, ""]);
});

test("replay says why a node does not answer", async () => {
  const file = eventFile("away.ndjson", [event(1)]);
  const nobody = createServer().listen(0, "127.0.0.1");
  await once(nobody, "listening");
  const { port } = nobody.address() as AddressInfo;
  nobody.close();
  await once(nobody, "close");
  const { code, error } = await run("replay", "--url", `http://127.0.0.1:${port}`, file);
  equal(code, 2);
  match(error, /^attune: replay: http:\S+ does not answer: is the node running\? \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)\n$/);
});

test("help whose reader is gone ends quietly", async () => {
  const { child, done } = start(["help"]);
  child.stdout.destroy();
  const { code, error } = await done;
  deepEqual([code, error], [0, ""]);
});

test("a start that fails ends with a line, and lets go of the folder", async () => {
  const data = join(folder, "fails");
  const missing = join(folder, "missing.pem");
  const args = ["start", "--port", "0", "--grpc-port", "off", "--data", data];
  const withoutCertificate = await start(args, { ATTUNE_TLS_CERT: missing, ATTUNE_TLS_KEY: missing, ATTUNE_KEK_FOLDER: join(folder, "kek") }).done;
  equal(withoutCertificate.code, 1);
  match(withoutCertificate.error, /^attune: TLS with \S+ and \S+: ENOENT: [^\n]*\n$/);
  const elsewhere = await start([...args, "--host", "192.0.2.1"], { ATTUNE_KEK_FOLDER: join(folder, "kek") }).done;
  equal(elsewhere.code, 2);
  equal(existsSync(join(data, "holder")), false);
});

test("the system's refusals are one line each", async () => {
  const file = eventFile("a-file", []);
  const refused = await start(["verify", "--data", file]).done;
  deepEqual([refused.code, refused.error.split("\n").length], [2, 2]);
  const started = await start(["start", "--port", "0", "--data", file]).done;
  equal(started.code, 1);
  match(started.error, /^attune: \S+a-file cannot hold data: E[A-Z]+: [^\n]*\n$/);
  const unread = await start(["import", "--data", join(folder, "import"), join(folder, "none.ndjson")]).done;
  equal(unread.error.split("\n").length, 2);
});

test("`audit verify` of no data folder is refused, and one without a trail is told of", async () => {
  const none = await run("audit", "verify", "--data", join(folder, "nobody"));
  equal(none.code, 2);
  match(none.error, /^attune: there is no audit trail in \S+nobody: name another folder with --data\n$/);
  const imported = await run("audit", "verify", "--data", join(folder, "import"));
  deepEqual([imported.code, imported.out], [0, "0 entries\n"]);
  match(imported.error, /no node has kept a trail in this folder yet, or all of it was removed/);
});

test("a closed terminal ends the node in order", async () => {
  const data = join(folder, "hangup");
  const { child, done } = start(["start", "--port", "0", "--grpc-port", "off", "--data", data], { ATTUNE_KEK_FOLDER: join(folder, "kek") });
  await once(createInterface({ input: child.stdout }), "line");
  child.kill("SIGHUP");
  equal((await done).code, 0);
  equal(existsSync(join(data, "holder")), false);
});
