// Colours for JSON behind a text area, by the CSS Custom Highlight API: ranges over one text node, no element per word.
// A browser without it shows the text in one colour.
import { useLayoutEffect } from "preact/hooks";
import type { RefObject } from "preact";

const KINDS = ["json-name", "json-text", "json-number", "json-word"] as const;
type Kind = (typeof KINDS)[number];

const TOKENS = /"(?:[^"\\\n]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
/** A longer text is edited without colours: they would cost more than they tell. */
const COLOURED_LENGTH_MAX = 200_000;

/** Colours the text node inside `layer` whenever `text` changes. */
export function useJsonColours(layer: RefObject<HTMLElement | null>, text: string): void {
  useLayoutEffect(() => {
    const node = layer.current?.firstChild;
    if (typeof Highlight === "undefined" || !node || text.length > COLOURED_LENGTH_MAX) return undefined;
    const added: [Kind, Range][] = [];
    for (const match of text.matchAll(TOKENS)) {
      const range = new Range();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length - (match[1]?.length ?? 0));
      const kind = kindOf(match);
      highlightOf(kind).add(range);
      added.push([kind, range]);
    }
    return () => {
      for (const [kind, range] of added) highlightOf(kind).delete(range);
    };
  }, [text]);
}

function kindOf(match: RegExpMatchArray): Kind {
  if (match[0].startsWith('"')) return match[1] === undefined ? "json-text" : "json-name";
  return /^[tfn]/.test(match[0]) ? "json-word" : "json-number";
}

function highlightOf(kind: Kind): Highlight {
  const known = CSS.highlights.get(kind);
  if (known !== undefined) return known;
  const fresh = new Highlight();
  CSS.highlights.set(kind, fresh);
  return fresh;
}
