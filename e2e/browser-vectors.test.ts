// The core in Chromium: every golden vector comes out bit for bit, as in Node.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { browserMissing, launchBrowser, withPage, type Browser } from "./browser.ts";

const FOLDER = new URL("../vectors/", import.meta.url);

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL(entry, FOLDER).pathname],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "core",
    target: "es2022",
    platform: "browser",
  });
  return outputFiles[0]!.text;
}

function casesOf(file: string): unknown[] {
  const { cases } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { cases: unknown[] };
  assert.ok(cases.length > 0);
  return cases;
}

describe("the core in Chromium", { skip: browserMissing() ?? false }, () => {
  let browser: Browser;
  before(async () => void (browser = await launchBrowser()));
  after(() => browser?.close());

  test("every person vector comes out bit for bit", () =>
    withPage(browser, {}, async (page) => {
      await page.addScriptTag({ content: await bundled("run.ts") });
      const failures = await page.evaluate((files) => {
        const { core } = globalThis as unknown as { core: { runVectors(files: unknown): string[] } };
        return core.runVectors(files);
      }, [{ name: "person.json", cases: casesOf("person.json") }]);
      assert.deepEqual(failures, []);
    }));

  test("every engine vector comes out bit for bit, rules included", () =>
    withPage(browser, {}, async (page) => {
      await page.addScriptTag({ content: await bundled("engine/run.ts") });
      const failures = await page.evaluate((cases) => {
        const { core } = globalThis as unknown as { core: { runEngineVectors(cases: unknown): string[] } };
        return core.runEngineVectors(cases);
      }, casesOf("engine/engine.json"));
      assert.deepEqual(failures, []);
    }));
});
