// Every recipe does what it says: its program and catalogue are sent to a fresh node, its commands are run as they stand,
// and each answer holds what the recipe shows. So do the README's first requests.
import { equal, ok } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startNode } from "../http/testing.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/recipes");
const NODE = "http://127.0.0.1:8080";

/** The fenced blocks of a page, by what follows the fence. */
function blocksOf(markdown: string): { kind: string; text: string }[] {
  return [...markdown.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({ kind: kind!, text: text! }));
}

/** Fails with the path where `actual` does not hold what `expected` says. */
function holds(actual: unknown, expected: unknown, path: string): void {
  if (typeof expected !== "object" || expected === null) {
    equal(actual, expected, path);
    return;
  }
  ok(typeof actual === "object" && actual !== null, `${path} is ${JSON.stringify(actual)}`);
  for (const [key, value] of Object.entries(expected)) {
    holds((actual as Record<string, unknown>)[key], value, `${path}/${key}`);
  }
}

/** Runs the commands; the last line of their output is the answer of the last one. */
async function run(commands: string, url: string): Promise<unknown> {
  const script = commands.replaceAll(NODE, url).replaceAll(/^curl (-s )?/gm, "curl -s -w '\\n' ");
  const { stdout } = await promisify(execFile)("bash", ["-ec", script]);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

type Slots = Record<string, { variants: Record<string, object | null> }>;

/** The slots that the page's elements have, as `data-attune-slot="NAME"` in the text says. */
function slotsOnPage(markdown: string): string[] {
  return [...markdown.matchAll(/`data-attune-slot="(\w+)"`/g)].map(([, slot]) => slot!);
}

/** Whether the SDK writes something of the payload into an element; one without payload leaves the page's own. */
function isWritten(payload: object | null): boolean {
  return payload === null || ["text", "attributes", "variables"].some((key) => key in payload);
}

test("what a recipe's page shows in a slot is what the SDK writes of each payload", () => {
  let slots = 0;
  for (const name of readdirSync(FOLDER)) {
    const markdown = readFileSync(join(FOLDER, name), "utf8");
    const program = blocksOf(markdown).find(({ kind }) => kind === "json program")!.text;
    for (const slot of slotsOnPage(markdown)) {
      slots++;
      const { variants } = (JSON.parse(program) as { slots: Slots }).slots[slot]!;
      for (const [variant, payload] of Object.entries(variants)) ok(isWritten(payload), `${name}: ${slot}: ${variant}`);
    }
  }
  equal(slots, 2);
});

test("the requests that the README starts with", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const readme = readFileSync(resolve(FOLDER, "../../README.md"), "utf8");
  const { text } = blocksOf(readme).find(({ kind, text }) => kind === "sh" && text.startsWith("curl"))!;
  holds(await run(text, node.url), { user_id: "ada", placement: "home", profile_version: 1 }, "the last answer");
});

for (const name of readdirSync(FOLDER)) {
  test(`recipe ${name}`, async (t) => {
    const node = await startNode();
    t.after(() => node.close());
    const put = async (route: string, body: string): Promise<void> => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(node.url + route, { method: "PUT", headers, body });
      equal(response.status, 200, `${route}: ${await response.text()}`);
    };
    let answer: unknown;
    let answers = 0;
    for (const { kind, text } of blocksOf(readFileSync(join(FOLDER, name), "utf8"))) {
      if (kind === "json program") await put("/v1/program", text);
      else if (kind === "json items") await put("/v1/items", text);
      else if (kind === "sh") answer = await run(text, node.url);
      else if (kind === "json answer") {
        holds(answer, JSON.parse(text), `answer ${++answers}`);
      } else throw new Error(`${name} has a block "${kind}", which nothing runs`);
    }
    ok(answers > 0, "a recipe shows what comes of it");
  });
}
