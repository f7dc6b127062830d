// Reads NDJSON files (or `-` for standard input), packed with gzip or not, line by line, as fast as parsing allows.
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

/** A longer line is handed over cut and held no longer than this: no event is so long, and it will be refused. */
const LINE_CHARACTERS_MAX = 1 << 20;

/** What a line says, or why it says nothing. */
export function parseLine(text: string): { value: unknown } | { fault: string } {
  if (text.length > LINE_CHARACTERS_MAX) return { fault: `the line is longer than ${LINE_CHARACTERS_MAX} characters` };
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
    if (path === "-") return unpackedIfPacked(process.stdin);
    try {
      size = statSync(path).size;
    } catch (cause) {
      throw new EventFileError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
    }
    return unpackedIfPacked(createReadStream(path, { highWaterMark: 1 << 18 }), (bytes) => (read += bytes));
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
          if (line.trim() !== "") lines.push({ number, text: line.slice(0, LINE_CHARACTERS_MAX + 1) });
        }
        return lines;
      };
      try {
        for await (const chunk of await source()) {
          const text = rest + decoder.decode(chunk as Buffer, { stream: true });
          const end = text.lastIndexOf("\n");
          if (end < 0) {
            rest = text.slice(0, LINE_CHARACTERS_MAX + 1);
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

/** The bytes of `input`, unpacked where they begin as gzip does, whatever the file is called. */
async function unpackedIfPacked(input: Readable, onRead: (bytes: number) => void = () => {}): Promise<Readable> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = (await chunks.next()).value as Buffer | undefined;
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
