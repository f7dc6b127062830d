import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { rngFrom } from "../../core/math/rng.ts";
import { EventFileError, type Line, openEventFile, parseLine } from "./event-file.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-event-file-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function read(bytes: Buffer): Promise<Line[]> {
  const path = join(folder, "lines.ndjson");
  writeFileSync(path, bytes);
  const lines: Line[] = [];
  for await (const some of openEventFile(path).lines()) lines.push(...some);
  return lines;
}

test("a line of another encoding is told by its number, and the others around it are read", async () => {
  const good = '{"item_id":"café 😀"}';
  const bytes = Buffer.concat([
    Buffer.from(`\ufeff${good}\r\n\n`),
    Buffer.from('{"item_id":"caf\u00e9"}\n', "latin1"),
    Buffer.from('{"item_id":"\ufffd"}\n'),
    Buffer.from(good),
  ]);
  const lines = await read(bytes);
  deepEqual(lines.map(({ number, isUtf8 }) => [number, isUtf8]), [[1, true], [3, false], [4, true], [5, true]]);
  deepEqual([0, 2, 3].map((at) => parseLine(lines[at]!)), [
    { value: { item_id: "café 😀" } },
    { value: { item_id: "\ufffd" } },
    { value: { item_id: "café 😀" } },
  ]);
  const refused = parseLine(lines[1]!);
  match("fault" in refused ? refused.fault : "", /not UTF-8: convert the file/);
});

test("a file without lines is refused as a whole, with what to do", async () => {
  for (const [bytes, advice] of [
    [zstdCompressSync('{"item_id":"a"}\n'), /zstd -d/],
    [Buffer.from("\ufeff{}\n", "utf16le"), /iconv -f utf-16 -t utf-8/],
    [Buffer.from("\ufeff{}\n", "utf16le").swap16(), /iconv -f utf-16 -t utf-8/],
    [Buffer.from("BZh91AY&SY"), /bzip2 -d/],
    [Buffer.from("PAR1\x15"), /Parquet/],
  ] as const) {
    await rejects(read(bytes), (error: Error) => error instanceof EventFileError && advice.test(error.message));
  }
});

for (const seed of [1, 2, 3]) {
  test(`lines come whole wherever the pieces of a file end (seed ${seed})`, async () => {
    const rng = rngFrom(seed);
    const letters = ["a", "é", "語", "😀", '"', "\\", "\u2028"];
    const texts = Array.from({ length: 400 }, () => {
      const length = rng.between(1, rng.between(0, 20) === 0 ? 200_000 : 3_000);
      const letter = letters[rng.between(0, letters.length - 1)]!;
      return JSON.stringify({ text: letter.repeat(length) });
    });
    const lines = await read(Buffer.from(texts.join("\n")));
    deepEqual(lines.map(({ text }) => text), texts);
  });
}

test("a line without end is refused for its length, whatever its letters are", async () => {
  for (const letter of ["a", "é", "語", "😀"]) {
    const [long, next] = await read(Buffer.from(`"${letter.repeat(1_200_000)}"\n1`));
    const refused = parseLine(long!);
    match("fault" in refused ? refused.fault : "", /longer than/, letter);
    deepEqual(parseLine(next!), { value: 1 });
    equal(next!.number, 2);
  }
});
