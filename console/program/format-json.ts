// JSON as people write it: what fits on a line stays on it, so that a rule is one line of the document and of a diff.

const LINE_MAX = 100;
const INDENT = "  ";

/** The same value as `JSON.stringify(value, null, 2)`, with short objects and arrays on one line; top-level members stand alone. */
export function formatJson(value: unknown): string {
  return written(value, "", 0);
}

function written(value: unknown, indent: string, usedColumns: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isArray = Array.isArray(value);
  const entries: [string, unknown][] = isArray
    ? value.map((element): [string, unknown] => ["", element])
    : Object.entries(value);
  if (entries.length === 0) return isArray ? "[]" : "{}";
  if (indent !== "" && depthOf(value) <= 2) {
    const line = inline(value);
    if (usedColumns + line.length <= LINE_MAX) return line;
  }
  const deeper = indent + INDENT;
  const lines = entries.map(([name, member]) => {
    const head = isArray ? deeper : `${deeper}${JSON.stringify(name)}: `;
    return head + written(member, deeper, head.length + 1);
  });
  return `${isArray ? "[" : "{"}\n${lines.join(",\n")}\n${indent}${isArray ? "]" : "}"}`;
}

function inline(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${inline(member)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((deepest, member) => Math.max(deepest, depthOf(member)), 0);
}
