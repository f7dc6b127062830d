// Rules as the knobs call them. The node names a rule by its place in the program, counted from 0; the bench has rows,
// numbered from 1.

const NUMBERED = /\/placements\/[^/\s]+\/(boost|pin|cap)\/(\d+)/g;
const SINGLE = /(?:the filter )?\/placements\/[^/\s]+\/(filter|frequency|freshness|diversity)(?![\w/])/g;

/** A sentence of the node, with `boost 5` in place of `/placements/home/boost/4`. */
export function namedRules(text: string): string {
  return text
    .replaceAll(NUMBERED, (_, kind: string, index: string) => `${kind} ${Number(index) + 1}`)
    .replaceAll(SINGLE, (_, kind: string) => (kind === "filter" ? "the filter" : kind));
}
