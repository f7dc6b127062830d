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
    const message = `${messageOf(code, summary, text, position)} (at character ${position + 1})`;
    return { fault: { code: code === "limit_exceeded" ? "expression_too_complex" : "cel_syntax", message, position } };
  }
}

/** The nodes right beneath one, of its `args`. */
export function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return typeof args === "object" && args !== null && "op" in args ? [args as ASTNode] : [];
}

/** The library's message in the words of ours. */
function messageOf(code: string, summary: string, text: string, position: number): string {
  switch (code) {
    case "limit_exceeded":
      return `${words(summary)}: split it into segments and read them with in_segment()`;
    case "reserved_identifier": {
      const [word = ""] = /^\w+/.exec(text.slice(position)) ?? [];
      return `\`${word}\` is a reserved word: write the condition alone, or attributes["${word}"] for an attribute of that name`;
    }
    case "unexpected_token":
      return text.slice(position - 1, position + 1) === "<>" ? "unexpected `<>`: CEL writes !=" : words(summary);
    default:
      return code === "unexpected_character" ? unexpected(text, position) : words(summary);
  }
}

/** What the library calls by names of its own, as it is written. */
const WRITTEN: Readonly<Record<string, string>> = {
  EOF: "the end of the expression",
  NUMBER: "a number",
  STRING: "a string",
  BOOLEAN: "true or false",
  NULL: "`null`",
  IDENTIFIER: "a name",
  PLUS: "`+`",
  MINUS: "`-`",
  MULTIPLY: "`*`",
  DIVIDE: "`/`",
  MODULO: "`%`",
  EQ: "`==`",
  NE: "`!=`",
  LT: "`<`",
  LE: "`<=`",
  GT: "`>`",
  GE: "`>=`",
  AND: "`&&`",
  OR: "`||`",
  NOT: "`!`",
  IN: "`in`",
  LPAREN: "`(`",
  RPAREN: "`)`",
  LBRACKET: "`[`",
  RBRACKET: "`]`",
  LBRACE: "`{`",
  RBRACE: "`}`",
  DOT: "`.`",
  COMMA: "`,`",
  COLON: "`:`",
  QUESTION: "`?`",
  BYTES: "bytes",
};

function words(summary: string): string {
  const text = summary.charAt(0).toLowerCase() + summary.slice(1).replace("token: ", "");
  return text.replaceAll(/\b[A-Z]{2,}\b/g, (name) => WRITTEN[name] ?? name).replace("unexpected the", "unexpected");
}

/** What other languages write, and CEL does not. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [/^=>$/, ">="],
  [/^=<$/, "<="],
  [/^(=|is)$/i, "=="],
  [/^(and|&)$/i, "&&"],
  [/^(or|\|)$/i, "||"],
  [/^between$/i, "age >= 20 && age <= 30 for a range"],
  [/^like$/i, "name.contains(part), name.startsWith(part) or name.endsWith(part)"],
  [/^[\u2018-\u201f\u00ab\u00bb]$/, "straight quotes, \" or '"],
];

/** Names the word or sign that cannot stand there (the library names its last letter), and what CEL has for it. */
function unexpected(text: string, position: number): string {
  const [written = ""] = /^(\w+|=[<>]|.)/su.exec(text.slice(position)) ?? [];
  if (/\d$/.test(text.slice(0, position)) && /^[smhd]$/.test(written))
    return `unexpected \`${written}\`: times are seconds here, e.g. 7 * 86400 for seven days`;
  const sign = /\bnot\s+$/i.test(text.slice(0, position)) ? "! for not" : ELSEWHERE.find(([other]) => other.test(written))?.[1];
  return `unexpected \`${written}\`${sign === undefined ? "" : `: CEL writes ${sign}`}`;
}
