// Reads NDJSON files (or `-` for standard input), packed with gzip or not, line by line, as fast as parsing allows.
import { isUtf8 } from "node:buffer";
import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

export interface Line {
  /** 1 for the first. */
  number: number;
  text: string;
  /** False: its bytes are of another encoding, and `text` is not what they said. */
  isUtf8: boolean;
}

/** A file that cannot be read; the message names it and says why. */
export class EventFileError extends Error {
  override readonly name = "EventFileError";
}

/** A longer line is handed over cut and held no longer than this: no event is so long, and it will be refused. */
const LINE_CHARACTERS_MAX = 1 << 20;
/** At least a character more than that, whatever is in the line: three bytes of UTF-8 are one, four are two. */
const LINE_BYTES_MAX = 3 * (LINE_CHARACTERS_MAX + 1);
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = "\ufeff";

/** How files begin that have no lines, in latin1, and what to do: each piece of them would be a line that is refused. */
const WITHOUT_LINES: readonly (readonly [begins: string, advice: string])[] = [
  ["\x28\xb5\x2f\xfd", "it is packed with zstd: unpack it first (zstd -d)"],
  ["\xfd7zXZ", "it is packed with xz: unpack it first (xz -d)"],
  ["BZh", "it is packed with bzip2: unpack it first (bzip2 -d)"],
  ["PK\x03\x04", "it is packed with zip: unpack it first (unzip)"],
  ["\xff\xfe", "it is UTF-16: make it UTF-8 first (iconv -f utf-16 -t utf-8)"],
  ["\xfe\xff", "it is UTF-16: make it UTF-8 first (iconv -f utf-16 -t utf-8)"],
  ["PAR1", "it is Parquet: make it NDJSON first"],
  ["Obj\x01", "it is Avro: make it NDJSON first, or send it to POST /v1/events"],
];

const HEAD_BYTES = 8;

/** What a line says, or why it says nothing. */
export function parseLine({ text, isUtf8 }: Pick<Line, "text" | "isUtf8">): { value: unknown } | { fault: string } {
  if (text.length > LINE_CHARACTERS_MAX) return { fault: `the line is longer than ${LINE_CHARACTERS_MAX} characters` };
  // Taken as it came it would stand in the log for ever, under its id, without its letters.
  if (!isUtf8) return { fault: "the line is not UTF-8: convert the file, and import it again" };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { fault: `the line is not JSON: ${(error as Error).message}` };
  }
}

export interface EventFile {
  /** Chunks of lines, in order; empty lines are left out. */
  lines(): AsyncGenerator<Line[]>;
  /** Bytes of the file read so far, 0–1; undefined for standard input. */
  readonly progress: number | undefined;
}

export function openEventFile(path: string): EventFile {
  let size: number | undefined;
  let read = 0;
  const source = async (): Promise<Readable> => {
    if (path === "-") return unpackedIfPacked(path, process.stdin);
    try {
      size = statSync(path).size;
    } catch (cause) {
      throw new EventFileError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
    }
    return unpackedIfPacked(path, createReadStream(path, { highWaterMark: 1 << 18 }), (bytes) => (read += bytes));
  };
  return {
    get progress() {
      return size === undefined || size === 0 ? undefined : read / size;
    },
    async *lines() {
      let rest: Buffer = Buffer.alloc(0);
      let number = 0;
      const split = (block: Buffer): Line[] => {
        const lines: Line[] = [];
        for (const { text, isUtf8 } of linesOf(block)) {
          const line = number++ === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
          if (line.trim() !== "") lines.push({ number, text: line.slice(0, LINE_CHARACTERS_MAX + 1), isUtf8 });
        }
        return lines;
      };
      try {
        for await (const part of await source()) {
          const chunk = part as Buffer;
          const end = chunk.lastIndexOf(NEWLINE);
          if (end < 0) {
            // Of a line that is too long nothing more is kept, nor copied: a file may be one line.
            if (rest.length < LINE_BYTES_MAX) rest = Buffer.concat([rest, chunk]).subarray(0, LINE_BYTES_MAX);
            continue;
          }
          const block = Buffer.concat([rest, chunk.subarray(0, end)]);
          rest = chunk.subarray(end + 1);
          yield split(block);
        }
      } catch (cause) {
        if (cause instanceof EventFileError) throw cause;
        throw new EventFileError(`${path} cannot be read after line ${number}: ${(cause as Error).message}`, { cause });
      }
      if (rest.length > 0) yield split(rest);
    },
  };
}

function* linesOf(block: Buffer): Generator<Pick<Line, "text" | "isUtf8">> {
  if (isUtf8(block)) {
    for (const text of block.toString("utf8").split("\n")) yield { text, isUtf8: true };
    return;
  }
  for (let from = 0; from <= block.length; ) {
    const newline = block.indexOf(NEWLINE, from);
    const line = block.subarray(from, newline < 0 ? block.length : newline);
    yield { text: line.toString("utf8"), isUtf8: isUtf8(line) };
    from += line.length + 1;
  }
}

/** The bytes of `input`, unpacked where they begin as gzip does, whatever the file is called. @throws EventFileError. */
async function unpackedIfPacked(path: string, input: Readable, onRead: (bytes: number) => void = () => {}): Promise<Readable> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = (await chunks.next()).value as Buffer | undefined;
  const head = first?.toString("latin1", 0, HEAD_BYTES);
  const [, advice] = WITHOUT_LINES.find(([begins]) => head?.startsWith(begins)) ?? [];
  if (advice !== undefined) throw new EventFileError(`${path} has no lines: ${advice}`);
  const all = Readable.from(
    (async function* () {
      for (let next: Buffer | undefined = first; next !== undefined; next = (await chunks.next()).value as Buffer | undefined) {
        onRead(next.length);
        yield next;
      }
    })(),
  );
  if (first?.[0] !== 0x1f || first[1] !== 0x8b) return all;
  const unpacked = createGunzip({ chunkSize: 1 << 18 });
  all.on("error", (error) => unpacked.destroy(error));
  return all.pipe(unpacked);
}
