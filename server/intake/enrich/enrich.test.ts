import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { AttuneEvent } from "../../../core/event/event.ts";
import { openAddresses } from "./addresses.ts";
import { createEnricher } from "./enrich.ts";
import { markSources } from "./sources.ts";
import { watchPatterns } from "./patterns.ts";
import { RecentMap } from "../../hosting/recent-map.ts";
import { readUserAgent } from "./user-agent.ts";

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1";
const HEADLESS =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36";
const GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const readAddress = await openAddresses(["203.0.113.0/24", "2001:db8:bad::/48", "198.51.100.7"]);
let serial = 0;

function event(fields: Partial<AttuneEvent> = {}): AttuneEvent {
  return { event_id: `e${serial++}`, user_id: "u", event_type: "click", timestamp: 1_000_000, ...fields };
}

test("HTTP libraries send for others and are no bots; crawlers are; no user agent says nothing", () => {
  for (const library of [
    "node",
    "undici",
    "curl/8.5.0",
    "python-requests/2.31",
    "axios/1.7",
    "okhttp/4.12",
    "k6/0.50",
    "Go-http-client/1.1",
    "grpc-node-js/1.14.7",
    "grpc-python/1.60.0 grpc-c/38.0.0",
    "tonic/0.10",
    "AnalyticsRuby/2.4",
  ]) {
    equal(readUserAgent(library, { local: false }).kind, "library", library);
  }
  equal(readUserAgent(undefined, { local: false }).kind, "library");
  equal(readUserAgent(GOOGLEBOT, { local: true }).kind, "bot");
  equal(readUserAgent(HEADLESS, { local: false }).kind, "bot");
  equal(readUserAgent(HEADLESS, { local: true }).kind, "browser");
  deepEqual(readUserAgent(IPHONE, { local: false }), {
    kind: "browser",
    device: "mobile",
    os: "iOS",
    browser: "Safari",
  });
});

test("a program that names itself sends for others; one that the list names is a bot", () => {
  const kindOf = (text: string): string => readUserAgent(text, { local: false }).kind;
  for (const own of ["shop-backend/1.2", "acceptance-tests/1.0", "Jersey/2.41", "MyHttpClient", "checkout worker"]) {
    equal(kindOf(own), "library", own);
  }
  const bots = [
    "GPTBot/1.0", "facebookexternalhit/1.1", "Screaming Frog SEO Spider/19", "WhatsApp/2.0", "Pingdom",
    "Thing/1.0 (+https://thing.example/about)", "Mozilla/5.0 (compatible)",
  ];
  for (const bot of bots) equal(kindOf(bot), "bot", bot);
});

test("addresses: country, lists in either notation, and this machine", () => {
  equal(readAddress("8.8.8.8").country, "US");
  equal(readAddress("::ffff:8.8.8.8").country, "US");
  equal(readAddress("203.0.113.9").listed, true);
  equal(readAddress("198.51.100.7").listed, true);
  equal(readAddress("198.51.100.8").listed, false);
  equal(readAddress("2001:db8:bad::1").listed, true);
  deepEqual(readAddress("127.0.0.1"), { local: true, listed: false });
  deepEqual(readAddress("not an address"), { local: false, listed: false });
});

test("an entry that is no range is named", async () => {
  await rejects(openAddresses(["10.0.0.0/8", "10.0.0.0/99"]), /10\.0\.0\.0\/99/);
});

test("the connection fills in what the event does not say, and never the address", () => {
  const { sender, enrich } = createEnricher(readAddress);
  const phone = sender({ address: "8.8.8.8", userAgent: IPHONE });
  const logged = enrich(event({ context: { country: "AT", weather: "rain" } }), phone, 5);
  deepEqual(logged.context, { device: "mobile", os: "iOS", browser: "Safari", country: "AT", weather: "rain" });
  equal(JSON.stringify(logged).includes("8.8.8.8"), false);
  equal(logged.received_at, 5);
  equal(logged.traffic, undefined);
  const backend = enrich(event(), sender({ address: "8.8.8.8", userAgent: "node" }), 5);
  equal(backend.context, undefined);
  equal(enrich(event(), sender({ address: "203.0.113.1", userAgent: IPHONE }), 5).traffic, "bot");
  equal(enrich(event(), sender({ address: "8.8.8.8", userAgent: GOOGLEBOT }), 5).traffic, "bot");
});

test("events of one public address carry one mark, until the day's salt is gone; trusted senders carry none", () => {
  const { sender, enrich } = createEnricher(readAddress);
  const markOf = (address: string, isTrusted = false): string | undefined =>
    enrich(event(), sender({ address, userAgent: IPHONE, isTrusted }), 5).source;
  equal(markOf("8.8.8.8"), markOf("8.8.8.8"));
  equal(markOf("8.8.8.8") === markOf("8.8.4.4"), false);
  equal(markOf("2606:4700:1:200::1"), markOf("2606:4700:1:2ff::9"));
  equal(markOf("2606:4700:1:200::1") === markOf("2606:4700:1:300::1"), false);
  equal(markOf("8.8.8.8", true), undefined);
  equal(markOf("127.0.0.1"), undefined);
  equal(markOf("192.168.1.9"), undefined);
  equal(enrich(event(), sender({ address: "8.8.8.8", userAgent: "curl/8" }), 5).source, markOf("8.8.8.8"));
  let nowMs = 0;
  const mark = markSources(() => nowMs);
  const today = mark("08080808");
  equal(mark("08080808"), today);
  nowMs = 86_400_000;
  const tomorrow = mark("08080808");
  equal(tomorrow === today, false);
  nowMs = 3_600_000; // The clock was set back: nobody knows how old the salt is.
  equal(mark("08080808") === tomorrow, false);
});

test("a burst of a hundred is human, one more in the same second is not, and it passes", () => {
  const watch = watchPatterns();
  const click = (timestamp: number): boolean => watch.isSuspicious(event({ timestamp }));
  for (let i = 0; i < 100; i++) equal(click(1_000_000), false);
  equal(click(1_000_000), true);
  equal(click(1_000_000 + 10 * 60_000), true);
  equal(click(1_000_000 + 10 * 60_000 + 1), false);
});

test("nine clicks a second for an hour stay unmarked, eleven do not", () => {
  for (const [perS, marked] of [
    [9, false],
    [11, true],
  ] as const) {
    const watch = watchPatterns();
    let seen = false;
    for (let i = 0; i < perS * 600; i++) {
      // Uneven steps, so that the rhythm says nothing.
      seen ||= watch.isSuspicious(event({ timestamp: Math.round((i * 1_000) / perS) + (i % 3) * 20 }));
    }
    equal(seen, marked, `${perS} a second`);
  }
});

test("a metronome is marked, an uneven hand is not", () => {
  const even = watchPatterns();
  const uneven = watchPatterns();
  let marked = 0;
  for (let i = 0; i < 60; i++) {
    if (even.isSuspicious(event({ timestamp: i * 2_000 }))) marked++;
    equal(uneven.isSuspicious(event({ timestamp: i * 2_000 + (i % 2) * 300 })), false);
  }
  equal(marked, 19); // from the 42nd click on: one to start, one interval to compare with, forty even ones
});

test("scrolling and hovering are not interactions by hand; visitors do not mix", () => {
  const watch = watchPatterns();
  for (let i = 0; i < 500; i++) equal(watch.isSuspicious(event({ event_type: "scroll" })), false);
  for (let i = 0; i < 500; i++) equal(watch.isSuspicious(event({ user_id: `u${i % 50}` })), false);
});

test("what others send in somebody's name marks their events, not his", () => {
  const { sender, enrich } = createEnricher(readAddress);
  const [his, others] = ["8.8.8.8", "8.8.4.4"].map((address) => sender({ address, userAgent: IPHONE }));
  const traffic = Array.from({ length: 120 }, () => enrich(event(), others!, 5).traffic);
  equal(traffic.filter((mark) => mark === "suspicious").length, 20);
  equal(enrich(event({ event_type: "purchase" }), his!, 5).traffic, undefined);
});

test("a day that was offline looks as it was lived when it comes after what is newer, and so does what follows", () => {
  const day = 86_400_000;
  const times = [2 * day, ...Array.from({ length: 300 }, (_, i) => day + i * 900 + (i % 3) * 250)];
  times.push(...Array.from({ length: 50 }, (_, i) => 2 * day + 5_000 + i * 800 + (i % 2) * 300));
  const watch = watchPatterns();
  deepEqual(times.filter((timestamp) => watch.isSuspicious(event({ timestamp }))), []);
});

test("a recent map keeps what is used and at most twice its size", () => {
  const map = new RecentMap<number>(3);
  for (let i = 0; i < 100; i++) {
    map.set(`k${i}`, i);
    equal(map.get("k0"), 0); // used each time, so it stays
  }
  equal(map.size <= 6, true);
  equal(map.get("k50"), undefined);
});
