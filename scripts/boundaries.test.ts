// Imports go one way: core imports nothing; sdk, server and cluster import core; cluster implements the ports that server
// declares, with what every host does alike (server/hosting); console and demo speak only the public contract, through
// the SDK.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");

interface Rule {
  /** Other rooms, or files of them. */
  rooms: readonly string[];
  /** Packages from npm; "node" stands for Node's own modules. */
  packages: readonly string[];
}

const dependencies = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};
const SERVER_PACKAGES = ["node", ...Object.keys(dependencies.dependencies)];

const RULES: Readonly<Record<string, Rule>> = {
  core: { rooms: [], packages: [] },
  sdk: { rooms: ["core/"], packages: [] },
  server: { rooms: ["core/"], packages: SERVER_PACKAGES },
  // What a person may ask is asked of every host alike.
  cluster: {
    rooms: ["core/", "server/ports.ts", "server/hosting/", "server/privacy/", "server/giving-way.ts"],
    packages: SERVER_PACKAGES,
  },
  console: { rooms: ["sdk/"], packages: ["preact", "uplot"] },
  demo: { rooms: ["sdk/"], packages: ["preact"] },
};

/** Where a single file needs what its room must not have, with the reason. */
const EXCEPTIONS: Readonly<Record<string, Partial<Rule>>> = {
  // Rules are CEL: a pure library, argued for in docs/decisions.
  "core/program/": { packages: ["@marcbachmann/cel-js"] },
  // `npm start` builds the pages, and fills its own catalogue with the demo's.
  "server/cli/": { rooms: ["core/", "demo/warm.ts", "scripts/build.ts"] },
  // A server of the cluster has the same door and settings as the embedded node.
  "cluster/server/main.ts": { rooms: ["core/", "server/cli/"] },
  // What is kept beside keys is replaced as they are.
  "cluster/erasure/ledger-copy.ts": { rooms: ["core/", "server/disk/durable-file.ts"] },
  // The command line reads the same settings, tells the same faults of backups, keys and the audit trail, and locks folders alike.
  "cluster/cli/": {
    rooms: ["core/", "server/cli/", "server/backup/", "server/vault/vault.ts", "server/access/", "server/audit/", "server/disk/folder-lock.ts"],
  },
  // Backups of every host lie in folders of one kind, closed in one way.
  "cluster/backup/": { rooms: ["core/", "server/backup/", "server/privacy/"] },
  // Who may do what is decided by the same rules and code on every host.
  "cluster/access/": { rooms: ["core/", "server/ports.ts", "server/access/", "server/audit/"] },
};

interface Import {
  from: string;
  /** A path from the root, or a package's name. */
  to: string;
  isPackage: boolean;
  isType: boolean;
}

const STATEMENT = /^\s*(?:import|export)\s(type\s)?(?:[^"';]*?\sfrom\s)?\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(STATEMENT)].map(([, type, statement, dynamic]) => {
    const target = (statement ?? dynamic)!;
    const isPackage = !target.startsWith(".");
    const to = isPackage ? packageOf(target) : relative(ROOT, resolve(ROOT, dirname(file), target));
    return { from: file, to, isPackage, isType: type !== undefined };
  });
}

function packageOf(specifier: string): string {
  if (isBuiltin(specifier)) return "node";
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Tests, and what only tests and rigs load, may take what they need. */
const isTestCode = (file: string): boolean => /\.test\.tsx?$|\/(testing|fuzz)(\/|\.ts$)/.test(file);

const FILES = globSync(`{${Object.keys(RULES).join(",")}}/**/*.{ts,tsx}`, { cwd: ROOT }).filter(
  (file) => !isTestCode(file),
);
const IMPORTS = FILES.flatMap(importsOf);

test("each room imports only what it may", () => {
  const wrong = IMPORTS.filter(({ from, to, isPackage }) => {
    const room = from.split("/")[0]!;
    const exception = Object.entries(EXCEPTIONS).find(([prefix]) => from.startsWith(prefix))?.[1];
    const { rooms, packages } = { ...RULES[room]!, ...exception };
    return isPackage
      ? !packages.includes(to)
      : !to.startsWith(`${room}/`) && !rooms.some((allowed) => to.startsWith(allowed));
  });
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test("no code that runs imports test code", () => {
  assert.deepEqual(
    IMPORTS.filter(({ to }) => isTestCode(to)).map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

/** Every circle that a walk along the edges comes upon, `a → b → a`. */
function circles(edges: Iterable<readonly [string, string]>): string[][] {
  const next = new Map<string, Set<string>>();
  for (const [from, to] of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const done = new Set<string>();
  const found: string[][] = [];
  const walk = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) return void found.push([...path.slice(path.indexOf(node)), node]);
    if (done.has(node)) return;
    for (const target of next.get(node) ?? []) walk(target, [...path, node]);
    done.add(node);
  };
  for (const node of next.keys()) walk(node, []);
  return found;
}

/** `core/profile/view.ts` stands in core/profile, `core/engine.ts` in itself. */
const folderOf = (file: string): string => file.split("/").slice(0, 2).join("/");
/** What runs: a type costs nothing and closes no circle. */
const VALUE_IMPORTS = IMPORTS.filter(({ isPackage, isType }) => !isPackage && !isType);

test("no files of different folders import each other in a circle", () => {
  const found = circles(VALUE_IMPORTS.map(({ from, to }) => [from, to] as const));
  const crossing = found.filter((circle) => new Set(circle.map(folderOf)).size > 1);
  assert.deepEqual(
    crossing.map((circle) => circle.join(" → ")),
    [],
  );
});

test("the folders of core and sdk are layers", () => {
  const inside = VALUE_IMPORTS.filter(({ from }) => /^(core|sdk)\//.test(from));
  const edges = inside
    .map(({ from, to }) => [folderOf(from), folderOf(to)] as const)
    .filter(([from, to]) => from !== to);
  assert.deepEqual(
    circles(edges).map((circle) => circle.join(" → ")),
    [],
  );
});

/** From the page of dependencies: a line's packages, and the folders and files that it says hide them. */
const HIDDEN = readFileSync(join(ROOT, "docs/decisions/dependencies.md"), "utf8")
  .split("\n")
  .map((line) => line.split(" | ").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)))
  .map((cells) => ({
    packages: cells[0]!,
    places: cells.at(-1)!.filter((name) => Object.keys(RULES).includes(name.split("/")[0]!)),
  }))
  .filter(({ places }) => places.length > 0);

test("packages are imported where docs/decisions/dependencies.md says, and nowhere else", () => {
  assert.ok(HIDDEN.length >= 8, "the page's table was not understood");
  for (const { packages, places } of HIDDEN) {
    const users = IMPORTS.filter(({ to, isPackage }) => isPackage && packages.includes(to)).map(({ from }) => from);
    const isIn = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);
    assert.deepEqual(
      {
        elsewhere: users.filter((file) => !places.some((place) => isIn(file, place))),
        unused: places.filter((place) => !users.some((file) => isIn(file, place))),
      },
      { elsewhere: [], unused: [] },
      packages.join(", "),
    );
  }
});

test("the rules are checked against real imports", () => {
  for (const room of Object.keys(RULES)) {
    assert.ok(
      IMPORTS.some(({ from }) => from.startsWith(`${room}/`)),
      `no import was found in ${room}`,
    );
  }
  assert.ok(IMPORTS.some(({ from, to }) => from.startsWith("server/") && to.startsWith("core/")));
});
