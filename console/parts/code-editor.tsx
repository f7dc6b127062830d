// A text area for JSON with line numbers, marked lines and the keys that people expect. A real text area: undo, search,
// spell of the keyboard, screen readers and selection are the browser's own.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useJsonColours } from "./json-colours.ts";
import { lineColumn } from "../program/json-positions.ts";

/** Where to go: set a new object to jump again to the same place. */
export interface Jump {
  readonly start: number;
  readonly end: number;
}

interface CodeEditorProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** Lines (from 1) with a fault. */
  readonly marked?: ReadonlySet<number>;
  readonly jump?: Jump | undefined;
  readonly onSave?: () => void;
  /** Lines shown; without it the editor takes the height that the window leaves. */
  readonly rows?: number;
}

const LINE_HEIGHT_PX = 18;
const TOPBAR_PX = 48;
const INDENT = "  ";

export function CodeEditor({ label, text, onText, marked, jump, onSave, rows }: CodeEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const colours = useRef<HTMLPreElement>(null);
  const [place, setPlace] = useState({ line: 1, column: 1 });
  /** After Escape the next Tab leaves the field, so that the keyboard is never trapped. */
  const leaving = useRef(false);
  const lines = text.split("\n");
  const hint = useId();
  useJsonColours(colours, text);

  useEffect(() => {
    const element = area.current;
    if (jump === undefined || element === null) return;
    const target = lineColumn(element.value, jump.start);
    element.focus({ preventScroll: true });
    element.setSelectionRange(jump.start, jump.end);
    element.scrollTop = Math.max(0, (target.line - 4) * LINE_HEIGHT_PX);
    element.scrollLeft = 0;
    bringIntoWindow(element.getBoundingClientRect().top + (target.line - 1) * LINE_HEIGHT_PX - element.scrollTop);
    setPlace(target);
  }, [jump]);
  useLayoutEffect(() => follow(), [text]);

  function follow(): void {
    const { current: element } = area;
    if (element === null) return;
    if (gutter.current !== null) gutter.current.scrollTop = element.scrollTop;
    if (colours.current !== null)
      colours.current.style.transform = `translate(${-element.scrollLeft}px, ${-element.scrollTop}px)`;
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") leaving.current = true;
    else if (event.key === "Tab" && !leaving.current && !event.shiftKey) {
      event.preventDefault();
      insert(area.current!, INDENT);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      insert(area.current!, `\n${indentAt(area.current!)}`);
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      onSave?.();
    }
    if (event.key !== "Escape" && event.key !== "Tab") leaving.current = false;
  };
  const onSelect = (): void => {
    if (area.current !== null) setPlace(lineColumn(area.current.value, area.current.selectionStart));
  };

  return (
    <div class="editor">
      <div class="editor-body" style={rows === undefined ? {} : { height: `${rows * LINE_HEIGHT_PX + 16}px` }}>
        <div class="gutter" ref={gutter} aria-hidden="true">
          {lines.map((_, index) => (
            <div
              key={index}
              class={marked?.has(index + 1) === true ? "marked" : place.line === index + 1 ? "current" : undefined}
            >
              {index + 1}
            </div>
          ))}
        </div>
        <div class="editor-text">
          <pre ref={colours} aria-hidden="true">
            {text}
          </pre>
          <textarea
            ref={area}
            aria-label={label}
            aria-describedby={hint}
            value={text}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            wrap="off"
            onInput={(event) => onText(event.currentTarget.value)}
            onScroll={follow}
            onKeyDown={onKeyDown}
            onSelect={onSelect}
            onKeyUp={onSelect}
            onClick={onSelect}
          />
        </div>
      </div>
      <div class="editor-foot num">
        <span>
          line {place.line}, column {place.column}
        </span>
        <span>
          <span class="wide-inline">{lines.length} lines · </span>
          <span id={hint}>
            <kbd>Tab</kbd> indents, <kbd>Esc</kbd> <kbd>Tab</kbd> leaves
          </span>
        </span>
      </div>
    </div>
  );
}

/** Through the browser's own editing command, so that undo knows of it. */
function insert(area: HTMLTextAreaElement, text: string): void {
  if (!document.execCommand("insertText", false, text)) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** The indentation of the line, one step deeper after an opening bracket. */
function indentAt(area: HTMLTextAreaElement): string {
  const before = area.value.slice(0, area.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return /^\s*/.exec(line)![0] + (/[{[]\s*$/.test(line) ? INDENT : "");
}

/** Moves the page as little as needed for a line at `y` to be seen, and what is around it. */
function bringIntoWindow(y: number): void {
  const top = TOPBAR_PX + 4 * LINE_HEIGHT_PX;
  const bottom = window.innerHeight - 8 * LINE_HEIGHT_PX;
  if (y < top) window.scrollBy(0, y - top);
  else if (y > bottom) window.scrollBy(0, y - bottom);
}
