// Where each value of a JSON text stands: a fault's JSON pointer becomes a line to jump to, and a text that is no JSON
// becomes a fault with a line. JSON.parse would say neither in every browser.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export type JsonText =
  | { readonly positions: ReadonlyMap<string, Span>; readonly fault?: undefined }
  | { readonly fault: { readonly offset: number; readonly message: string }; readonly positions?: undefined };

const DEPTH_MAX = 64;

class Malformed extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Reads a JSON text once. The key of a position is the value's JSON pointer (RFC 6901); the whole document is `""`. */
export function readJsonText(text: string): JsonText {
  try {
    return { positions: positionsOf(text) };
  } catch (error) {
    if (error instanceof Malformed) return { fault: { offset: error.offset, message: error.message } };
    throw error;
  }
}

/** The position of a pointer, or of the nearest one above it that exists: a missing member is shown at its parent. */
export function spanOf(positions: ReadonlyMap<string, Span>, pointer: string): Span {
  for (let path = pointer; path !== ""; path = path.slice(0, path.lastIndexOf("/"))) {
    const span = positions.get(path);
    if (span !== undefined) return span;
    if (!path.includes("/")) break;
  }
  return positions.get("") ?? { start: 0, end: 0 };
}

/** Line and column of an offset, both from 1. */
export function lineColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

function positionsOf(text: string): Map<string, Span> {
  const positions = new Map<string, Span>();
  let at = 0;
  skipSpace();
  value("", 0);
  skipSpace();
  if (at < text.length)
    throw new Malformed(at, "Something follows the end of the document; remove it, or a bracket closes too early.");
  return positions;

  function value(pointer: string, depth: number, keyStart = at): void {
    if (depth > DEPTH_MAX) throw new Malformed(at, `The document is nested deeper than ${DEPTH_MAX} levels.`);
    const letter = text[at];
    if (letter === "{") members(pointer, depth);
    else if (letter === "[") elements(pointer, depth);
    else if (letter === '"') string();
    else literal();
    positions.set(pointer, { start: keyStart, end: at });
  }

  function members(pointer: string, depth: number): void {
    const open = at++;
    skipSpace();
    if (text[at] === "}") return void at++;
    const names = new Set<string>();
    for (;;) {
      const keyStart = at;
      if (text[at] !== '"')
        throw new Malformed(
          at,
          text[at] === "}"
            ? "A comma stands before the closing brace; remove it."
            : "A name in double quotes is expected here.",
        );
      const name = JSON.parse(string()) as string;
      if (names.has(name))
        throw new Malformed(keyStart, `The name "${name}" is there twice; only the last would count.`);
      names.add(name);
      skipSpace();
      if (text[at] !== ":") throw new Malformed(at, `A colon is expected after the name "${name}".`);
      at++;
      skipSpace();
      value(`${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth + 1, keyStart);
      skipSpace();
      if (text[at] === "}") return void at++;
      separator(open, "}");
    }
  }

  function elements(pointer: string, depth: number): void {
    const open = at++;
    skipSpace();
    if (text[at] === "]") return void at++;
    for (let index = 0; ; index++) {
      value(`${pointer}/${index}`, depth + 1);
      skipSpace();
      if (text[at] === "]") return void at++;
      separator(open, "]");
    }
  }

  function separator(open: number, close: string): void {
    if (at >= text.length) throw new Malformed(open, `This bracket is never closed; a "${close}" is missing.`);
    if (text[at] !== ",") throw new Malformed(at, `A comma or "${close}" is expected here.`);
    at++;
    skipSpace();
  }

  function string(): string {
    const start = at++;
    while (at < text.length && text[at] !== '"') {
      if (text[at] === "\n") throw new Malformed(start, "This string is not closed on its line.");
      at += text[at] === "\\" ? 2 : 1;
    }
    if (at >= text.length) throw new Malformed(start, "This string is never closed.");
    const raw = text.slice(start, ++at);
    try {
      JSON.parse(raw);
    } catch {
      throw new Malformed(start, "This string holds a control character or an escape that JSON does not have.");
    }
    return raw;
  }

  function literal(): void {
    const word = /^[^\s,:{}[\]"]*/.exec(text.slice(at, at + 64))![0];
    if (word === "")
      throw new Malformed(
        at,
        at >= text.length ? "The document ends where a value is expected." : "A value is expected here.",
      );
    try {
      JSON.parse(word);
    } catch {
      throw new Malformed(at, `"${word}" is no JSON value; text needs double quotes.`);
    }
    at += word.length;
  }

  function skipSpace(): void {
    while (at < text.length && (text[at] === " " || text[at] === "\n" || text[at] === "\t" || text[at] === "\r")) at++;
  }
}
