// Canaries: texts that name a person and a field, and are found again in whatever form their bytes lie somewhere.
import { gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";

/** Of one field of one person: 16 characters that occur nowhere else. */
export function canary(person: number, field: number): string {
  return `${MARK}${hex(person, 6)}${hex(field, 2)}`;
}

export interface Found {
  readonly person: number;
  readonly field: number;
}

const MARK = "kanarieq";
const CANARY_CHARS = 16;
const WHOLE = new RegExp(`${MARK}([0-9a-f]{6})([0-9a-f]{2})`, "gi");
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** Bytes around a hit that are looked at in its encoding. */
const AROUND = 96;
const UNPACKED_MAX = 64 << 20;
const DEPTH_MAX = 3;

/** The mark as it looks in base64, wherever it begins: without the characters that its neighbours decide. */
const BASE64_MARKS = [0, 1, 2].map((shift) => {
  const text = Buffer.from("\0".repeat(shift) + MARK).toString("base64").replace(/=+$/, "");
  const from = Math.ceil((shift * 8) / 6);
  const whole = Math.floor(((shift + MARK.length) * 8) / 6);
  return Buffer.from(text.slice(from, whole));
});
const FORMS: readonly { readonly mark: Buffer; readonly decode: (window: Buffer) => string[] }[] = [
  { mark: Buffer.from(MARK), decode: (window) => [window.toString("latin1")] },
  { mark: Buffer.from(MARK.toUpperCase()), decode: (window) => [window.toString("latin1").toLowerCase()] },
  { mark: Buffer.from(MARK, "utf16le"), decode: (window) => [window.toString("latin1").replaceAll("\0", "")] },
  ...[Buffer.from(MARK).toString("hex"), Buffer.from(MARK).toString("hex").toUpperCase()].map((text) => ({
    mark: Buffer.from(text),
    decode: hexOf,
  })),
  ...BASE64_MARKS.map((mark) => ({ mark, decode: base64Of })),
];

/** Calls `found` for each canary in the bytes: as they are, as hex, base64, UTF-16, and in what was compressed. */
export function findCanaries(bytes: Buffer, found: (canary: Found) => void, depth = 0): void {
  for (const { mark, decode } of FORMS) {
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
      const window = bytes.subarray(Math.max(0, at - 8), at + AROUND);
      for (const text of decode(window)) {
        for (const [, person, field] of text.matchAll(WHOLE)) found({ person: parseInt(person!, 16), field: parseInt(field!, 16) });
      }
    }
  }
  if (depth >= DEPTH_MAX) return;
  for (const unpacked of compressedIn(bytes)) findCanaries(unpacked, found, depth + 1);
}

function hexOf(window: Buffer): string[] {
  const text = window.toString("latin1");
  return (text.match(/[0-9a-fA-F]{32,}/g) ?? []).flatMap((run) => [
    Buffer.from(run.slice(0, run.length & ~1), "hex").toString("latin1"),
    Buffer.from(run.slice(1, 1 + ((run.length - 1) & ~1)), "hex").toString("latin1"),
  ]);
}

function base64Of(window: Buffer): string[] {
  const runs = window.toString("latin1").match(/[A-Za-z0-9+/_-]{20,}/g) ?? [];
  return runs.flatMap((run) => [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), "base64").toString("latin1")));
}

/** What begins like gzip, zlib or zstd anywhere, unpacked as far as it goes. */
function* compressedIn(bytes: Buffer): Generator<Buffer> {
  const kinds: [Buffer, (part: Buffer) => Buffer][] = [
    [Buffer.from([0x1f, 0x8b, 0x08]), (part) => gunzipSync(part, { maxOutputLength: UNPACKED_MAX })],
    [Buffer.from([0x78, 0x9c]), (part) => inflateSync(part, { maxOutputLength: UNPACKED_MAX })],
    [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), (part) => zstdDecompressSync(part, { maxOutputLength: UNPACKED_MAX })],
  ];
  for (const [magic, unpack] of kinds) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      const unpacked = unlessBroken(() => unpack(bytes.subarray(at)));
      if (unpacked !== undefined && unpacked.length >= CANARY_CHARS) yield unpacked;
    }
  }
}

/** Most of what begins like something compressed is none. */
function unlessBroken<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === "string") return undefined;
    throw error;
  }
}
