// Whatever command the README, the guides and the recipes give is there, and has the options that they give it.
import { deepEqual, match, ok } from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const PAGES = ["README.md", ...globSync("docs/{guides,recipes}/*.md", { cwd: ROOT }).sort(), "docs/reliability.md", "docs/benchmarks.md"];
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
/** What the node prints begins like a command. */
const PRINTED = "attune listening on";

interface Written {
  page: string;
  text: string;
}

/** Commands of blocks, a line each, and of running text; a block's line may end with a comment. */
function commandsOf(page: string): Written[] {
  const markdown = readFileSync(join(ROOT, page), "utf8");
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$|^ {4}.*$/gm)].map(([block, fenced]) => fenced ?? block);
  const lines = blocks.flatMap((block) => block.split("\n")).map((line) => line.replace(/\s+#.*$/, "").trim());
  const ofBlocks = lines.filter((line) => /^(npm|attune) /.test(line));
  const ofText = [...markdown.matchAll(/(?<!`)`((?:npm run|attune|cluster) [^`]+)`/g)].map(([, code]) => code!.replaceAll(/\s+/g, " "));
  return [...ofBlocks, ...ofText].filter((text) => !text.startsWith(PRINTED)).map((text) => ({ page, text }));
}

/** `verify --data FOLDER` of every way to write it; undefined for another script of npm. */
function ofAttune(text: string): string | undefined {
  return /^(?:npm run (?:-s )?attune -- |attune )(.+)$/.exec(text)?.[1] ?? (text.startsWith("cluster ") ? text : undefined);
}

/** The words that name a command: `keys`, `cluster status`, `evaluate --off-policy`. */
function nameOf(command: string): string {
  const [first = "", second = ""] = command.split(" ");
  if (first === "cluster") return `cluster ${second}`;
  return first === "evaluate" && command.includes("--off-policy") ? "evaluate --off-policy" : first;
}

/** What it says of an option that no command has: the options that it has, or why it is no command. */
function answerOf(name: string): Promise<string> {
  const [first = "", ...more] = name.split(" ");
  const main = join(ROOT, first === "cluster" ? "cluster/cli/main.ts" : "server/cli/main.ts");
  const words = first === "cluster" ? more : [first, ...more];
  const args = ["--disable-warning=ExperimentalWarning", main, ...words, "--an-option-of-none"];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(ROOT, "node_modules", ".cache", "attune") };
  return new Promise((done) => execFile(process.execPath, args, { env }, (_error, _out, said) => done(said)));
}

const optionsIn = (text: string): string[] => [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option);

const written = PAGES.flatMap(commandsOf);

test("every command is one, and has the options that are written with it", async () => {
  const commands = written.flatMap(({ page, text }) => {
    const command = ofAttune(text);
    return command === undefined || /^(help|[A-Z…<])/.test(command) ? [] : [{ page, command }];
  });
  ok(commands.length > 40, `only ${commands.length} commands were found`);
  const lost: string[] = [];
  for (const name of new Set(commands.map(({ command }) => nameOf(command)))) {
    const said = await answerOf(name);
    const known = optionsIn(/there are (.*)/.exec(said)?.[1] ?? "");
    for (const { page, command } of commands.filter(({ command }) => nameOf(command) === name)) {
      if (known.length === 0) lost.push(`${page}: ${command}: ${said.trim()}`);
      for (const option of optionsIn(command)) {
        if (!known.includes(option) && option !== "--help") lost.push(`${page}: ${command}: has no ${option}`);
      }
    }
  }
  deepEqual(lost, []);
});

test("every script of npm is one", () => {
  const named = written.map(({ page, text }) => ({ page, name: /^npm run (?:-s )?([\w:]+)/.exec(text)?.[1] }));
  deepEqual(named.filter(({ name }) => name !== undefined && scripts[name] === undefined), []);
});

test("what is kept in a file is without the lines that npm prints before it", () => {
  const kept = written.filter(({ text }) => / > /.test(text) && text.startsWith("npm"));
  ok(kept.length > 0);
  for (const { page, text } of kept) match(text, /^npm run -s /, page);
});
