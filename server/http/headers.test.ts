// What every page and answer tells the browser to keep to: scripts from this server alone, no frames, no guessing of types.
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildRoom } from "../../scripts/build.ts";
import { ask, startNode, type TestNode } from "./testing.ts";

const DIST = join(resolve(import.meta.dirname, "../.."), "dist");
/** Directives that may name more than this server, and what. */
const MAY_NAME: Readonly<Record<string, string>> = { "img-src": "'self' data: blob:" };

describe("headers", () => {
  let node: TestNode;
  before(async () => {
    for (const room of ["console", "demo"] as const) await buildRoom(room);
    node = await startNode({ config: { demo: true }, folders: { console: `${DIST}/console`, demo: `${DIST}/demo` } });
  });
  after(() => node.close());

  for (const path of ["/console/", "/demo/", "/docs/", "/docs/guides/operator"]) {
    test(`${path} runs scripts of this server alone, stands in no frame, and holds nothing inline`, async () => {
      const { status, headers, text } = await ask(node, `GET ${path}`);
      equal(status, 200);
      const policy = new Map(
        headers.get("content-security-policy")!.split("; ").map((one): [string, string] => {
          const [name, ...sources] = one.split(" ");
          return [name!, sources.join(" ")];
        }),
      );
      deepEqual([policy.get("default-src"), policy.get("base-uri"), policy.get("frame-ancestors")], ["'none'", "'none'", "'none'"]);
      for (const [name, sources] of policy) {
        doesNotMatch(sources, /unsafe|\*|https?:|wss?:/, name);
        if (sources !== "'none'") equal(sources, MAY_NAME[name] ?? "'self'", name);
      }
      equal(headers.get("x-content-type-options"), "nosniff");
      match(headers.get("referrer-policy")!, /same-origin|no-referrer/);
      equal(headers.get("x-powered-by") ?? headers.get("server"), null);
      doesNotMatch(text, /<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son\w+=|javascript:/i);
    });
  }

  test("every other answer says that nothing may run, and faults say so too", async () => {
    for (const route of ["GET /v1/trending", "GET /healthz", "GET /none", "POST /v1/events", "GET /metrics"]) {
      const { headers } = await ask(node, route, route.startsWith("POST") ? "[" : undefined);
      equal(headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", route);
      equal(headers.get("x-content-type-options"), "nosniff", route);
      equal(headers.get("cache-control"), "no-store", route);
    }
  });
});
