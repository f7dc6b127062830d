// Events that were refused, each with its reason. Try one again, or correct it first.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { refQuery } from "../api/client.ts";
import type { DeadLetter, IntakeAnswer, PersonRef } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { CodeEditor, type Jump } from "../parts/code-editor.tsx";
import { formatCount } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { PersonLink } from "../parts/ids.tsx";
import { PersonFilter } from "../parts/person-filter.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { adviceOn, Empty, Failed, Loading } from "../parts/state.tsx";
import { formatJson } from "../program/format-json.ts";
import { Words } from "../parts/words.tsx";
import { lineColumn, readJsonText, spanOf } from "../program/json-positions.ts";
import { useConsole } from "../shell/context.ts";
import { personOfQuery, queryOfPerson } from "../shell/person-query.ts";
import { go } from "../shell/route.ts";
import { useStats } from "../shell/stats.ts";

const LETTERS_EVERY_MS = 5000;
/** A webhook that was not delivered is a letter too: it can be sent again, but there is no event in it to correct. */
const WEBHOOK_FAILED = "webhook_failed";

export function DeadLettersView({ query }: { query: URLSearchParams }) {
  const { api, links, notify } = useConsole();
  const stats = useStats();
  const code = query.get("code") ?? "";
  const person = query.get("person") ?? "";
  const isFiltered = code !== "" || person !== "";
  const filter = { ...(code === "" ? {} : { code }), ...(person === "" ? {} : refQuery(personOfQuery(person))) };
  const key = `dead letters ${api.project} ${code} ${person}`;
  const first = useRead(key, () => api.deadLetters(filter), LETTERS_EVERY_MS);
  const [read, setOlder] = useState<Older | undefined>(undefined);
  const older = read?.key === key ? read : undefined;
  const [looking, setLooking] = useState(false);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const [faces, setFaces] = useState<ReadonlyMap<string, Face>>(new Map());
  useEffect(() => setFaces(new Map()), [key]);
  // While a letter is open the list holds still: many that come would push it out, with what was written into it.
  const held = useRef(first.data);
  if (faces.size === 0 || first.data === undefined) held.current = first.data;
  const newest = held.current;
  const next = older === undefined ? (newest?.next ?? null) : older.next;
  const dropped = stats.data?.totals.dead_letters_dropped ?? 0;
  const known = new Set<string>();
  const letters = [...(newest?.dead_letters ?? []), ...(older?.letters ?? [])].filter(
    (letter) => !gone.has(letter.id) && !known.has(letter.id) && known.add(letter.id),
  );

  const loadOlder = async (): Promise<void> => {
    setLooking(true);
    try {
      let [found, from]: [DeadLetter[], string | null] = [[], next];
      while (found.length === 0 && from !== null)
        ({ dead_letters: found, next: from } = await api.deadLetters(filter, from));
      setOlder({ key, letters: [...(older?.letters ?? []), ...found], next: from });
    } catch {
      notify("The older letters could not be read. Try again in a moment.", "bad");
    } finally {
      setLooking(false);
    }
  };
  const setQuery = (change: { code?: string; person?: string }): void =>
    go(links.view(["dead-letters"], { code, person, ...change }), { replace: true });
  const show = ({ id }: DeadLetter, face: Face | undefined): void =>
    setFaces((before) => {
      const after = new Map(before);
      if (face === undefined) after.delete(id);
      else after.set(id, face);
      return after;
    });
  const list = useRef<HTMLUListElement>(null);
  const settledAt = useRef<number | undefined>(undefined);
  // The focus would be lost with the letter that goes.
  useLayoutEffect(() => {
    if (settledAt.current === undefined) return;
    const left = list.current?.querySelectorAll<HTMLElement>(".letter-open") ?? [];
    (left[Math.min(settledAt.current, left.length - 1)] ?? document.querySelector("main"))?.focus();
    settledAt.current = undefined;
  }, [gone]);
  const settled = (letter: DeadLetter): void => {
    settledAt.current = letters.indexOf(letter);
    setGone((before) => new Set(before).add(letter.id));
    show(letter, undefined);
    first.reload();
    stats.reload();
  };

  return (
    <>
      <ViewHead
        title="Dead letters"
        about="Events that were refused, each with its reason. Correct one and send it again."
      />
      {dropped > 0 ? (
        <p class="banner" role="status">
          <Icon name="warning" /> {formatCount(dropped)} more came faster than letters are kept, since the node started.
          They are counted, but not kept.
        </p>
      ) : null}
      <Card
        title="Waiting"
        note={
          first.data === undefined
            ? undefined
            : isFiltered
              ? matchingOf(letters.length, first.data.total, next !== null)
              : waitingOf(letters.length, first.data.total)
        }
        end={
          !isFiltered && (first.data?.total ?? 0) === 0 ? null : (
            <>
              <CodeFilter code={code} letters={letters} onChange={(to) => setQuery({ code: to })} />
              <PersonFilter person={person} onChange={(to) => setQuery({ person: to })} />
            </>
          )
        }
        flush
      >
        {first.data === undefined ? (
          first.error === undefined ? (
            <Loading rows={6} />
          ) : (
            <Failed what="The dead letters" error={first.error} onRetry={first.reload} />
          )
        ) : letters.length === 0 && isFiltered ? (
          <Empty
            title={next === null ? "No letter matches" : "None of the newest letters matches"}
            action={
              <>
                {next === null ? null : (
                  <button type="button" class="btn" disabled={looking} onClick={() => void loadOlder()}>
                    {looking ? "Looking …" : "Look further back"}
                  </button>
                )}
                <button type="button" class="btn" onClick={() => setQuery({ code: "", person: "" })}>
                  Clear the filters
                </button>
              </>
            }
          >
            A letter is somebody's whose id is its <code>user_id</code> or <code>anonymous_id</code>. What never reached
            the node is not here, nor what is older than <code>retention.dead_letters</code>.
          </Empty>
        ) : letters.length === 0 ? (
          <Empty icon="check" title="No event was refused">
            An event that breaks a rule of the contract is kept here with the reason, until it is sent again with
            success.
          </Empty>
        ) : (
          <ul class="letters" ref={list}>
            {letters.map((letter) => (
              <Letter
                key={letter.id}
                letter={letter}
                face={faces.get(letter.id)}
                onFace={(face) => show(letter, face)}
                onSettled={settled}
              />
            ))}
          </ul>
        )}
        {next === null || letters.length === 0 ? null : (
          <div class="card-more">
            <button type="button" class="btn" disabled={looking} onClick={() => void loadOlder()}>
              {looking ? "Looking …" : "Show older"}
            </button>
          </div>
        )}
      </Card>
    </>
  );
}

/** Pages behind the first, of one filter. */
interface Older {
  readonly key: string;
  readonly letters: DeadLetter[];
  readonly next: string | null;
}

function matchingOf(shown: number, total: number, isMore: boolean): string {
  return isMore ? `the newest ${formatCount(shown)} that match` : `${formatCount(shown)} of ${formatCount(total)} match`;
}

/** Offers the codes that have been seen since the view was opened. */
function CodeFilter({
  code,
  letters,
  onChange,
}: {
  code: string;
  letters: readonly DeadLetter[];
  onChange: (code: string) => void;
}) {
  const seen = useRef(new Set<string>());
  for (const one of [code, ...letters.map((letter) => letter.code)]) if (one !== "") seen.current.add(one);
  return (
    <select class="field" aria-label="Reason" value={code} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">All reasons</option>
      {[...seen.current].sort().map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** How many wait, and how many of them are shown. */
function waitingOf(shown: number, total: number): string {
  return shown < total ? `the newest ${formatCount(shown)} of ${formatCount(total)}` : formatCount(shown);
}

/** What is shown of a letter that is open. */
type Face = "body" | "edit";

interface LetterProps {
  readonly letter: DeadLetter;
  readonly face: Face | undefined;
  readonly onFace: (face: Face | undefined) => void;
  readonly onSettled: (letter: DeadLetter) => void;
}

function Letter({ letter, face, onFace, onSettled }: LetterProps) {
  const { api, links, notify } = useConsole();
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<IntakeAnswer["rejected"][number] | undefined>(undefined);

  const retry = async (correctedText?: string): Promise<void> => {
    setSending(true);
    try {
      const answer = await api.retryDeadLetter(letter.id, correctedText);
      const fault = answer.rejected[0];
      setRefused(fault);
      if (fault === undefined) {
        notify(
          answer.duplicates > 0 ? "This event is already in the log; the letter is settled." : "The event is accepted.",
        );
        onSettled(letter);
      } else if (correctedText === undefined) notify(`Still refused: ${fault.message}`, "bad");
    } catch (error) {
      notify(adviceOn(error), "bad");
    } finally {
      setSending(false);
    }
  };
  const person = personOf(letter);
  const toggle = (next: Face): void => onFace(face === next ? undefined : next);

  return (
    <li class="letter">
      <div class="letter-head">
        <button type="button" class="letter-open" aria-expanded={face !== undefined} onClick={() => toggle("body")}>
          <Icon name="right" size={12} />
          <Chip tone="bad">{letter.code}</Chip>
          <span class="letter-text">
            {letter.path === "" ? null : <code>{letter.path}</code>}{" "}
            <span>
              <Words text={letter.message} />
            </span>{" "}
            <span class="faint cut letter-subject" title={subjectOf(letter)}>
              {subjectOf(letter)}
            </span>
          </span>
        </button>
        <span class="faint small letter-source" title="where it came from">
          {letter.source}
        </span>
        <span class="faint small letter-at">
          <RelativeTime at={letter.at} />
        </span>
        <span class="row letter-actions">
          {letter.code === WEBHOOK_FAILED ? null : (
            <button type="button" class="btn small" aria-expanded={face === "edit"} onClick={() => toggle("edit")}>
              <Icon name="edit" size={12} /> Edit
            </button>
          )}
          <button type="button" class="btn small" disabled={sending} onClick={() => void retry()}>
            <Icon name="retry" size={12} /> Retry
          </button>
        </span>
      </div>
      {face === "body" ? (
        <>
          <p class="small letter-person">
            {person === undefined ? null : (
              <>
                Sent for <PersonLink person={person} />:{" "}
                <a href={links.view(["dead-letters"], { person: queryOfPerson(person) })}>all of theirs</a>,{" "}
              </>
            )}
            <a href={links.view(["dead-letters"], { code: letter.code })}>
              {person === undefined ? "All" : "all"} with this reason
            </a>
          </p>
          <pre class="code" tabIndex={0} aria-label="Body of the refused event">
            {bodyText(letter)}
          </pre>
        </>
      ) : null}
      {face === "edit" ? (
        <Correction letter={letter} refused={refused} sending={sending} onSend={(text) => void retry(text)} />
      ) : null}
    </li>
  );
}

interface CorrectionProps {
  readonly letter: DeadLetter;
  readonly refused: IntakeAnswer["rejected"][number] | undefined;
  readonly sending: boolean;
  readonly onSend: (text: string) => void;
}

function Correction({ letter, refused, sending, onSend }: CorrectionProps) {
  const [text, setText] = useState(() => bodyText(letter));
  const json = readJsonText(text);
  const path = (refused ?? letter).path;
  const start = json.positions === undefined ? json.fault.offset : spanOf(json.positions, path).start;
  const [jump] = useState<Jump>(() =>
    json.positions === undefined ? { start, end: start } : spanOf(json.positions, path),
  );
  const fault =
    json.fault?.message ??
    (refused === undefined ? `Refused because: ${letter.message}` : `Still refused: ${refused.message}`);
  return (
    <div class="correction">
      <p class={refused === undefined && json.fault === undefined ? "soft" : "bad-text"} role="status">
        {fault}
      </p>
      <CodeEditor
        label="Corrected event, JSON"
        text={text}
        onText={setText}
        rows={Math.min(20, Math.max(8, text.split("\n").length + 1))}
        marked={new Set([lineColumn(text, start).line])}
        jump={jump}
      />
      <div class="row end-row">
        <button type="button" class="btn" onClick={() => setText(bodyText(letter))}>
          Reset
        </button>
        <button
          type="button"
          class="btn primary"
          disabled={sending || json.fault !== undefined}
          onClick={() => onSend(text)}
        >
          {sending ? "Sending …" : "Send corrected event"}
        </button>
      </div>
    </div>
  );
}

/** `dwell of mara`: which event it was, as far as the body says. */
function subjectOf({ body }: DeadLetter): string {
  if (typeof body !== "object" || body === null) return "";
  const { event_type: type, user_id: user, anonymous_id: visitor } = body as Record<string, unknown>;
  const who = user ?? visitor;
  return [type, who === undefined ? undefined : `of ${String(who)}`].filter((part) => part !== undefined).join(" ");
}

/** Whom the event was about, where an id of theirs is in it. */
function personOf({ body }: DeadLetter): PersonRef | undefined {
  const { user_id, anonymous_id } = (body ?? {}) as Record<string, unknown>;
  if (typeof user_id === "string" && user_id !== "") return { user_id };
  return typeof anonymous_id === "string" && anonymous_id !== "" ? { anonymous_id } : undefined;
}

/** A body that was no JSON is kept as text. */
function bodyText(letter: DeadLetter): string {
  return typeof letter.body === "string" ? letter.body : formatJson(letter.body);
}
