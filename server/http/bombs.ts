// Bodies that are small to send and dear to take: each must be refused, and at little cost.
import { gzipSync, zstdCompressSync } from "node:zlib";

export interface Bomb {
  readonly name: string;
  readonly route: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const MEGABYTE = 1024 * 1024;

export function bombs(): Bomb[] {
  const blown = Buffer.alloc(64 * MEGABYTE, 0x20);
  const events = "POST /v1/events";
  const deep = (open: string, depth: number): Buffer => Buffer.from(`{"events":[${open.repeat(depth)}`);
  const texts = (text: string): Buffer => Buffer.from(JSON.stringify(Array(10).fill(text)));
  const item = `{"event_type":"view","anonymous_id":"a","timestamp":1,"item_id":"i"}`;
  return [
    { name: "64 MB of blanks as gzip", route: events, body: gzipSync(blown), headers: { "content-encoding": "gzip" } },
    { name: "64 MB of blanks as zstd", route: events, body: zstdCompressSync(blown), headers: { "content-encoding": "zstd" } },
    { name: "64 MB of blanks as gzip, for a program", route: "PUT /v1/program", body: gzipSync(blown), headers: { "content-encoding": "gzip" } },
    { name: "64 MB of blanks as gzip, for a login", route: "POST /v1/session", body: gzipSync(blown), headers: { "content-encoding": "gzip" } },
    { name: "a megabyte of opening brackets", route: events, body: Buffer.alloc(MEGABYTE - 1, 0x5b) },
    { name: "nested 10,000 deep", route: events, body: deep("[", 10_000) },
    { name: "objects nested 10,000 deep", route: "PUT /v1/items", body: deep('{"a":', 10_000) },
    { name: "deep within a string's neighbour", route: events, body: Buffer.from(`["${'\\"'.repeat(9)}",${"[".repeat(200_000)}`) },
    { name: "10,000 events", route: events, body: Buffer.from(`{"events":[${Array.from({ length: 10_000 }, () => item).join(",")}]}`) },
    { name: "a number of 900,000 digits", route: events, body: Buffer.from(`{"events":[{"value":${"9".repeat(900_000)}}]}`) },
    { name: "a name of 900,000 characters", route: events, body: Buffer.from(`{"events":[{"${"x".repeat(900_000)}":1}]}`) },
    { name: "`__proto__` in depth", route: events, body: Buffer.from('{"events":[{"additional_data":{"__proto__":{"admin":true}}}]}') },
    { name: "text that is no UTF-8", route: events, body: Buffer.alloc(500_000, 0xff) },
    // Kept as dead letters, and cleaned for that: a pattern that begins anew at each of these held the thread for minutes.
    { name: "ten texts that begin a token over and over", route: events, body: texts("eyJ".repeat(10_000)) },
    { name: "ten texts that are no e-mail address over and over", route: events, body: texts("a@".repeat(15_000)) },
    { name: "ten addresses that are none over and over, escaped", route: events, body: texts(`//a?q=${"%40".repeat(10_000)}`) },
    { name: "a filter nested 2,000 deep", route: "POST /v1/recommendations", body: Buffer.from(JSON.stringify({ placement: "home", filter: `${"(".repeat(2_000)}true${")".repeat(2_000)}` })) },
  ];
}
