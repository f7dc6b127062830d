// Whose requests a cookie counts for.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { isNearPage, isOwnPage } from "./origin.ts";

const HOST = "127.0.0.1:8080";

test("a cookie counts for this server's own pages: another port of the machine is of the same site, and another page", () => {
  const counts = (method: string, headers: Record<string, string>): boolean => isOwnPage(headers, method, HOST);
  for (const method of ["GET", "HEAD"]) {
    equal(counts(method, {}), true, "no browser, or one that does not say");
    equal(counts(method, { "sec-fetch-site": "same-origin" }), true);
    equal(counts(method, { "sec-fetch-site": "none" }), true, "an address that somebody typed");
    for (const site of ["same-site", "cross-site", ""]) equal(counts(method, { "sec-fetch-site": site }), false, site);
  }
  for (const method of ["POST", "PUT", "DELETE"]) {
    equal(counts(method, {}), false);
    equal(counts(method, { "sec-fetch-site": "same-origin" }), true);
    for (const site of ["none", "same-site", "cross-site"]) equal(counts(method, { "sec-fetch-site": site }), false, site);
  }
  for (const method of ["GET", "POST"]) {
    equal(counts(method, { origin: `http://${HOST}` }), true);
    for (const origin of ["http://127.0.0.1:8081", "null", "http://shop.example"]) equal(counts(method, { origin }), false, origin);
  }
});

test("a page is near where its origin is nobody's on the internet", () => {
  const near = ["http://localhost:3000", "http://127.0.0.1:8081", "http://[::1]:3000", "http://192.168.0.7", "https://shop.localhost", "http://shop.test:8000"];
  for (const origin of [...near, "https://nas.local", "http://build-box:3000"]) equal(isNearPage(origin), true, origin);
  const far = ["https://shop.example", "null", "", "file://", "http://8.8.8.8", "http://[2606:4700::1111]", "http://[::ffff:808:808]", "https://localhost.evil.example"];
  for (const origin of [...far, "http://127.0.0.1.nip.io", "https://contest.example", "chrome-extension://abcdefgh"]) {
    equal(isNearPage(origin), false, origin);
  }
});
