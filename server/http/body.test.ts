import { equal, ok, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { forEachSeed } from "../../core/testing/seeds.ts";
import { JSON_DEPTH_MAX, JSON_VALUES_MAX, nestsDeeperThan, parseJson, parseObject, unpack, UNPACKED_BYTES_MAX } from "./body.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

test("depth is counted outside of strings, to the limit exactly", () => {
  const nested = (depth: number): Buffer => bytes("[".repeat(depth) + "]".repeat(depth));
  equal(nestsDeeperThan(nested(JSON_DEPTH_MAX), JSON_DEPTH_MAX), false);
  equal(nestsDeeperThan(nested(JSON_DEPTH_MAX + 1), JSON_DEPTH_MAX), true);
  equal(nestsDeeperThan(bytes(JSON.stringify("[[[[\\\"[[[[")), 1), false);
  throws(() => parseJson(nested(JSON_DEPTH_MAX + 1)), { code: "too_deep" });
});

test("the depth of any JSON is that of a recursive count", () => {
  forEachSeed(200, (rng) => {
    const make = (depth: number): unknown => {
      const kind = depth === 0 ? 0 : rng.between(0, 3);
      if (kind === 0) return ['a"[', "\\", "{", 1, null][rng.between(0, 4)];
      if (kind === 1) return { ['k}"']: make(depth - 1), b: make(depth - 1) };
      return [make(depth - 1)];
    };
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    const value = make(6);
    const depth = depthOf(value);
    equal(nestsDeeperThan(bytes(JSON.stringify(value)), depth), false);
    if (depth > 0) equal(nestsDeeperThan(bytes(JSON.stringify(value)), depth - 1), true);
  });
});

test("a megabyte of opening brackets is refused in less time than a megabyte of numbers is read", () => {
  const brackets = Buffer.alloc(1024 * 1024, "[");
  const numbers = Buffer.from(`[${"1,".repeat(512 * 1024 - 1)}1]`);
  const leastOf = (work: () => void): number => {
    const took: number[] = [];
    for (let i = 0; i < 5; i++) {
      const before = process.threadCpuUsage();
      work();
      const { user, system } = process.threadCpuUsage(before);
      took.push(user + system);
    }
    return Math.min(...took);
  };
  const refusedUs = leastOf(() => throws(() => parseJson(brackets), { code: "too_deep" }));
  const readUs = leastOf(() => JSON.parse(numbers.toString()));
  ok(refusedUs < readUs, `${refusedUs} µs beside ${readUs} µs`);
});

test("values are counted before they are made, outside of strings, to the limit exactly", () => {
  const list = (count: number): Buffer => Buffer.concat([bytes("["), Buffer.alloc(2 * count - 1, "1,"), bytes("]")]);
  equal((parseJson(list(JSON_VALUES_MAX)) as unknown[]).length, JSON_VALUES_MAX);
  throws(() => parseJson(list(JSON_VALUES_MAX + 1)), { code: "body_too_large" });
  throws(() => parseJson(Buffer.concat([bytes("["), Buffer.alloc(3 * JSON_VALUES_MAX - 1, "[],"), bytes("]")])), { code: "body_too_large" });
  const commas = `"\\\",${",".repeat(3 * JSON_VALUES_MAX)}`;
  equal((parseJson(bytes(`[${commas}"]`)) as string[]).length, 1);
});

test("what is not JSON is refused, and the problem does not repeat it", () => {
  throws(() => parseJson(null), { code: "bad_json" });
  throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22])), { code: "bad_json" });
  throws(() => parseJson(bytes('{"email": secret@example.org}')), (error: Error) => !error.message.includes("secret"));
});

test("__proto__ is no name, however it is written", () => {
  throws(() => parseObject(bytes('{"a": [{"__proto__": {"admin": true}}]}')), { code: "bad_json" });
  throws(() => parseObject(bytes('{"\\u005f_proto__": 1}')), { code: "bad_json" });
  throws(() => parseObject(bytes("[]")), { code: "bad_json" });
  equal(parseObject(bytes('{"constructor": 1}'))["constructor"], 1);
});

test("gzip and zstd unpack, up to the limit", async () => {
  equal((await unpack(gzipSync("{}"), "gzip")).toString(), "{}");
  equal((await unpack(zstdCompressSync("{}"), "zstd")).toString(), "{}");
  const full = Buffer.alloc(UNPACKED_BYTES_MAX);
  equal((await unpack(gzipSync(full), "gzip")).length, UNPACKED_BYTES_MAX);
  const bomb = Buffer.alloc(UNPACKED_BYTES_MAX + 1);
  await rejects(unpack(gzipSync(bomb), "gzip"), { code: "body_too_large" });
  await rejects(unpack(zstdCompressSync(bomb), "zstd"), { code: "body_too_large" });
  await rejects(unpack(bytes("no gzip"), "gzip"), { code: "bad_request" });
  await rejects(unpack(brotliCompressSync("{}"), "br"), { code: "unsupported_encoding" });
  await rejects(unpack(bytes("{}"), "constructor"), { code: "unsupported_encoding" });
});
