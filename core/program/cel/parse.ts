// The only door to the CEL library: text in, syntax tree out. Its evaluator is not used (docs/decisions/cel.md): its
// numbers are 64-bit integers as BigInt, it throws, and it cannot say when a rule must be looked at again.
import "./text-codec.ts";
import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { EXPRESSION_CHARS_MAX } from "../limits.ts";

export type { ASTNode };

/** A fault in the text of an expression; `position` counts from 0. */
export interface CelFault {
  code: string;
  message: string;
  position: number;
}

const grammar = new Environment({
  limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 256, maxMapEntries: 1, maxCallArguments: 8 },
});

interface LibraryError {
  code?: string;
  summary?: string;
  range?: { start: number };
}

/** Parses an expression. Never throws: what cannot be read is a fault with its position. */
export function parseCel(text: string): { ast: ASTNode } | { fault: CelFault } {
  if (text.length > EXPRESSION_CHARS_MAX) {
    const message = `the expression has ${text.length} characters, at most ${EXPRESSION_CHARS_MAX} are allowed; `
      + "split it into segments and read them with in_segment()";
    return { fault: { code: "expression_too_long", message, position: 0 } };
  }
  try {
    return { ast: grammar.parse(text).ast };
  } catch (cause) {
    const { code, summary, range } = cause as LibraryError;
    if (code === undefined || summary === undefined) throw cause;
    const position = Math.min(range?.start ?? 0, text.length);
    const tooDeep = code === "limit_exceeded";
    return {
      fault: {
        code: tooDeep ? "expression_too_complex" : "cel_syntax",
        message: `${code === "unexpected_character" ? unexpected(text, position) : words(summary)} (at character ${position + 1})`,
        position,
      },
    };
  }
}

/** The library's message in the words of ours. */
function words(summary: string): string {
  const text = summary.charAt(0).toLowerCase() + summary.slice(1);
  return text.replaceAll("EOF", "the end of the expression");
}

/** What other languages write, and CEL does not. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [/^=>$/, ">="],
  [/^=<$/, "<="],
  [/^=$/, "=="],
  [/^(and|&)$/i, "&&"],
  [/^(or|\|)$/i, "||"],
];

/** Names the word or sign that cannot stand there (the library names its last letter), and what CEL has for it. */
function unexpected(text: string, position: number): string {
  const [written = ""] = /^(\w+|=[<>]|.)/su.exec(text.slice(position)) ?? [];
  if (/\d$/.test(text.slice(0, position)) && /^[smhd]$/.test(written))
    return `unexpected \`${written}\`: times are seconds here, e.g. 7 * 86400 for seven days`;
  const sign = /\bnot\s+$/i.test(text.slice(0, position)) ? "! for not" : ELSEWHERE.find(([other]) => other.test(written))?.[1];
  return `unexpected \`${written}\`${sign === undefined ? "" : `: CEL writes ${sign}`}`;
}
