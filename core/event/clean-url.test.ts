import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { cleanUrl, cleanUrlsIn, withoutSecrets } from "./clean-url.ts";

const EMAIL = /[^\s/?#&=;,:]{1,64}(?:@|%40)(?:(?!%40)[^\s/?#&=;,:@]){1,255}\.[a-z]{2,24}/i;
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.SflKxwRJSMeKKF2QT4";

test("what says something about the page stays; persons and secrets go", () => {
  const cases: [string, string][] = [
    ["https://shop.example/boots", "https://shop.example/boots"],
    ["/news/a-long-title-that-goes-on-and-on-2026", "/news/a-long-title-that-goes-on-and-on-2026"],
    ["https://shop.example/boots?utm_source=mail&Q=red+boots&page=2", "https://shop.example/boots?utm_source=mail&Q=red+boots&page=2"],
    ["https://shop.example/boots?token=abc&q=boots&code=1#access_token=xyz", "https://shop.example/boots?q=boots"],
    ["https://shop.example/boots?sid=1&unknown", "https://shop.example/boots"],
    ["https://ada:secret@shop.example/a", "https://shop.example/a"],
    ["//ada@shop.example/a", "//shop.example/a"],
    ["/unsubscribe/ada.l@example.com/now", "/unsubscribe/-/now"],
    ["/unsubscribe/ada%40example.com", "/unsubscribe/-"],
    ["/find?q=ada@example.com&sort=new", "/find?q=-&sort=new"],
    ["mailto:ada@example.com", "mailto:-"],
    ["/a/ada@lovelace@example.com/b/@example.com", "/a/-/b/@example.com"],
    [`/reset/${JWT}`, "/reset/-"],
    [`/reset/v1.eyJ.x-${JWT}.eyJshort.a`, "/reset/v1.eyJ.x--.eyJshort.a"],
    ["/reset/3f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c", "/reset/-"],
    ["/orders/0192f3a1-7c4e-7b2a-9f10-2b8f6c1d0e9a/paid", "/orders/-/paid"],
    ["/a/12345678901234567890123", "/a/12345678901234567890123"],
    ["/a?q=3f9a8b7c6d5e4f3a2b1c0d9e", "/a?q=-"],
    ["file:///C:/Users/Ada/Desktop/shop.html", "file:-"],
    ["data:text/html,<p>Dear-Ada", "data:-"],
    ["Blob:https://shop.example/0192f3a1", "blob:-"],
    ["android-app://com.shop.example/boots", "android-app://com.shop.example/boots"],
    ["/data:a", "/data:a"],
  ];
  for (const [dirty, clean] of cases) equal(cleanUrl(dirty), clean, dirty);
  equal(cleanUrl("/a?mine=1&q=2", new Set(["mine"])), "/a?mine=1");
});

test("cleaning twice is cleaning once", () => {
  const parts = ["/", "a", "?", "&", "q=", "token=", "#", "@", "%40", "x.de", "ada", JWT, "3f9a8b7c6d5e4f3a2b1c0d9e", "//", "-"];
  forEachSeed(2_000, (rng) => {
    let url = "";
    for (let i = rng.between(1, 12); i > 0; i--) url += parts[rng.between(0, parts.length - 1)];
    equal(cleanUrl(cleanUrl(url)), cleanUrl(url), url);
  });
});

test("no e-mail address that a pattern of the whole finds is left, and a text without one stays", () => {
  const parts = ["@", "@", "%40", "x.de", "ada", ".", "/", "a".repeat(19), "-", "é"];
  forEachSeed(5_000, (rng) => {
    let text = "";
    for (let i = rng.between(1, 16); i > 0; i--) text += parts[rng.between(0, parts.length - 1)];
    const clean = withoutSecrets(text);
    equal(clean.search(EMAIL), -1, `${text} ${clean}`);
    equal(withoutSecrets(clean), clean, text);
    const hasRun = /\w{20}|[\w-]{32}/.test(text);
    if (text.search(EMAIL) < 0 && !hasRun) equal(clean, text);
  });
});

test("addresses within other values are cleaned, and nothing else is touched", () => {
  const value = { link: "https://x.de/a?token=1", note: "ada?token=1", list: [{ url: "https://x.de/?q=1" }, 5, null] };
  deepEqual(cleanUrlsIn(value), { ...value, link: "https://x.de/a" });
  equal(cleanUrlsIn(value.list), value.list, "the same object where nothing changed");
  equal(value.link, "https://x.de/a?token=1", "the input is not changed");
});
