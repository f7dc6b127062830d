// Reads NDJSON files (`.ndjson`, `.ndjson.gz`, or `-` for standard input, packed or not) line by line, as fast as parsing allows.
import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

export interface Line {
  /** 1 for the first. */
  number: number;
  text: string;
}

/** A file that cannot be read; the message names it and says why. */
export class EventFileError extends Error {
  override readonly name = "EventFileError";
}

/** A line longer than this is handed over cut: no event is so long, and it will be refused. */
const LINE_CHARACTERS_MAX = 1 << 20;

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
    if (path === "-") return unpackedIfPacked(process.stdin);
    try {
      size = statSync(path).size;
    } catch (cause) {
      throw new EventFileError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
    }
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    file.on("data", (chunk) => (read += chunk.length));
    if (!path.endsWith(".gz")) return file;
    const unpacked = createGunzip({ chunkSize: 1 << 18 });
    file.on("error", (error) => unpacked.destroy(error));
    return file.pipe(unpacked);
  };
  return {
    get progress() {
      return size === undefined || size === 0 ? undefined : read / size;
    },
    async *lines() {
      const decoder = new TextDecoder();
      let rest = "";
      let number = 0;
      const split = (text: string): Line[] => {
        const lines: Line[] = [];
        for (const line of text.split("\n")) {
          number++;
          if (line.trim() !== "") lines.push({ number, text: line.slice(0, LINE_CHARACTERS_MAX) });
        }
        return lines;
      };
      try {
        for await (const chunk of await source()) {
          const text = rest + decoder.decode(chunk as Buffer, { stream: true });
          const end = text.lastIndexOf("\n");
          if (end < 0) {
            rest = text;
            continue;
          }
          rest = text.slice(end + 1);
          yield split(text.slice(0, end));
        }
      } catch (cause) {
        if (cause instanceof EventFileError) throw cause;
        throw new EventFileError(`${path} cannot be read after line ${number}: ${(cause as Error).message}`, { cause });
      }
      if (rest !== "") yield split(rest);
    },
  };
}

/** The bytes of `input`, unpacked where they begin as gzip does. */
async function unpackedIfPacked(input: Readable): Promise<Readable> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const { value: first, done } = await chunks.next();
  const all = Readable.from(
    (async function* () {
      if (done === true) return;
      yield first;
      yield* { [Symbol.asyncIterator]: () => chunks };
    })(),
  );
  if (done === true || first[0] !== 0x1f || first[1] !== 0x8b) return all;
  const unpacked = createGunzip({ chunkSize: 1 << 18 });
  all.on("error", (error) => unpacked.destroy(error));
  return all.pipe(unpacked);
}
