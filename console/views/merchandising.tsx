// What people say over what the models learn: pick a placement and a visitor, turn its knobs, see the list before and
// after, and save.
import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import type { PersonRef, Program } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Comparison, WhyNot } from "../lists/comparison.tsx";
import type { Placement } from "../lists/preview-types.ts";
import { usePreview } from "../lists/use-preview.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { ItemField } from "../parts/item-field.tsx";
import { adviceOn, Empty, Failed, Loading } from "../parts/state.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Words } from "../parts/words.tsx";
import { documentText } from "../program/document.ts";
import { useConsole } from "../shell/context.ts";
import { useDraft } from "../shell/drafts.ts";
import { personOfQuery } from "../shell/person-query.ts";
import { go, useRoute } from "../shell/route.ts";
import { attributeNames, faultNotes, idleNotes, pinnedItems, WHY_NOT_MAX, type KnobNotes } from "./merchandising/knob-notes.ts";
import { Knobs } from "./merchandising/knobs.tsx";

const DEVICES = ["", "desktop", "mobile", "tablet"];
const NO_NOTES: KnobNotes = new Map();

export function MerchandisingView({ placement }: { placement: string | undefined }) {
  const { api, links } = useConsole();
  const program = useRead(`program ${api.project}`, () => api.program());
  const names = Object.keys(program.data?.placements ?? {});
  if (program.data === undefined || names.length === 0) {
    return (
      <>
        <ViewHead title="Merchandising" about="Rules over what the models learn, with the list before and after." />
        <div class="card">
          {program.error !== undefined ? (
            <Failed what="The program" error={program.error} onRetry={program.reload} />
          ) : program.data === undefined ? (
            <Loading rows={8} />
          ) : (
            <Empty
              icon="merchandising"
              title="The program has no placement"
              action={
                <a class="btn primary" href={links.view(["program"])}>
                  Open the program
                </a>
              }
            >
              Add one under <code>placements</code>: a name, and an empty object to begin with.
            </Empty>
          )}
        </div>
      </>
    );
  }
  const chosen = placement !== undefined && names.includes(placement) ? placement : names[0]!;
  return (
    <Bench
      program={program.data}
      names={names}
      placement={chosen}
      onSaved={program.reload}
    />
  );
}

interface BenchProps {
  readonly program: Program;
  readonly names: readonly string[];
  readonly placement: string;
  readonly onSaved: () => void;
}

function Bench({ program, names, placement, onSaved }: BenchProps) {
  const { api, links, notify } = useConsole();
  const { query } = useRoute();
  const saved = (program.placements?.[placement] ?? {}) as Placement;
  // With the rules that it was made of.
  const [{ rules: draft, base }, keep] = useDraft(
    `placement ${api.project} ${placement}`,
    { rules: saved, base: saved },
    ({ rules }) => differ(rules, saved),
  );
  const setDraft = (rules: Placement): void => keep({ rules, base });
  const [saving, setSaving] = useState(false);
  const changed = differ(draft, saved);
  const asked = Object.fromEntries(query);
  const context = useMemo(() => contextOf(query), [query.toString()]);
  const whyNot = query.get("why_not") ?? "";
  const wanted = [...new Set([...(whyNot === "" ? [] : [whyNot]), ...pinnedItems(draft)])].slice(0, WHY_NOT_MAX);
  const { preview, faults, error, isBehind, reload } = usePreview({
    placement,
    ...personOfQuery(query.get("person") ?? ""),
    ...(Object.keys(context).length === 0 ? {} : { context }),
    ...(wanted.length === 0 ? {} : { why_not: wanted }),
    ...(changed ? { change: { placement: draft } } : {}),
  });
  const notes = faults.length > 0 ? faultNotes(faults) : preview === undefined || isBehind ? NO_NOTES : idleNotes(draft, preview);
  const attributes = useMemo(() => (preview === undefined ? [] : attributeNames(preview)), [preview]);
  const whyNotHere = preview?.why_not.filter(({ item_id }) => item_id === whyNot) ?? [];
  const move = (path: string, more: Record<string, string>): void =>
    go(links.view(["merchandising", path], { ...asked, ...more }), { replace: true });

  const save = async (): Promise<void> => {
    setSaving(true);
    try {
      // Of the newest document only this placement changes: what a colleague saved meanwhile stays.
      const { tag, ...newest } = await api.program();
      const theirs = (newest.placements?.[placement] ?? {}) as Placement;
      if (differ(theirs, base)) {
        keep({ rules: draft, base: theirs });
        onSaved();
        return notify(`Nothing was changed: somebody saved other rules for ${placement} since. To put yours in their place, save again.`, "bad");
      }
      const document = { ...newest, placements: { ...newest.placements, [placement]: draft } };
      const { version } = await api.putProgram(documentText(document), tag);
      keep({ rules: draft, base: draft });
      notify(`Version ${version} is saved: ${placement} ranks by the new rules.`);
      onSaved();
    } catch (fault) {
      notify(`Nothing was changed. ${fault instanceof ApiProblem ? adviceOn(fault) : String(fault)}`, "bad");
    } finally {
      setSaving(false);
    }
  };

  return (
    <>
      <ViewHead
        title="Merchandising"
        about="Turn the knobs of a placement and see what moves, and why, before it is saved."
        end={
          <>
            {faults.length > 0 ? (
              <Chip tone="bad">{faults.length === 1 ? "1 fault" : `${faults.length} faults`}</Chip>
            ) : null}
            {faults.length === 0 && changed ? <Chip tone="warn">not saved</Chip> : null}
            <button type="button" class="btn" disabled={!changed} onClick={() => keep({ rules: saved, base: saved })}>
              Discard
            </button>
            <button
              type="button"
              class="btn primary"
              disabled={!changed || saving || faults.length > 0 || isBehind}
              onClick={() => void save()}
            >
              {saving ? "Saving …" : "Save"}
            </button>
          </>
        }
      />
      <div class="stack">
        <Tabs label="Placement" names={names} chosen={placement} onChoose={(name) => move(name, {})} />
        <Whom query={query} onQuery={(more) => move(placement, more)} />
        <div class="bench">
          <Card title="Knobs" note={<code>placements.{placement}</code>}>
            <Knobs key={placement} draft={draft} notes={notes} attributes={attributes} onDraft={setDraft} />
          </Card>
          <div class="stack">
            {faults.length === 0 ? null : (
              <ul class="card why-not" role="alert">
                {faults.map(({ path, message }) => (
                  <li key={path + message}>
                    <code>{path}</code>
                    <p class="soft">
                      <Words text={message} />
                    </p>
                  </li>
                ))}
              </ul>
            )}
            {error !== undefined ? (
              <div class="card">
                <Failed what="The preview" error={error} onRetry={reload} />
              </div>
            ) : preview === undefined ? (
              <div class="card">
                <Loading rows={10} />
              </div>
            ) : (
              <div class={isBehind ? "stack behind" : "stack"} aria-busy={isBehind}>
                {preview.personalized ? null : (
                  <p class="soft">This person does not allow that lists follow them: this is what everybody gets.</p>
                )}
                <Unknown query={query} />
                {whyNotHere.length === 0 ? null : (
                  <Card title="Why not" flush>
                    <WhyNot asked={whyNotHere} isOneList={!changed} />
                  </Card>
                )}
                <Comparison preview={preview} beforeTitle="As it is" afterTitle="With the knobs" />
              </div>
            )}
          </div>
        </div>
      </div>
    </>
  );
}

function differ(one: Placement, other: Placement): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

/** Whose list is previewed: a person, or somebody new from somewhere. */
function Whom({ query, onQuery }: { query: URLSearchParams; onQuery: (more: Record<string, string>) => void }) {
  const [person, setPerson] = useState(query.get("person") ?? "");
  const [missing, setMissing] = useState(query.get("why_not") ?? "");
  useEffect(() => setPerson(query.get("person") ?? ""), [query.get("person")]);
  return (
    <form
      class="whom"
      onSubmit={(event) => {
        event.preventDefault();
        onQuery({ person: person.trim(), why_not: missing.trim() });
      }}
    >
      <label class="stacked">
        <span>Visitor</span>
        <input
          class="field"
          value={person}
          placeholder="a new visitor"
          title="A user_id, or anonymous: and an anonymous_id"
          spellcheck={false}
          onInput={({ currentTarget }) => setPerson(currentTarget.value)}
          onBlur={() => onQuery({ person: person.trim() })}
        />
      </label>
      <label class="stacked">
        <span>Country</span>
        <input
          class="field"
          value={query.get("country") ?? ""}
          placeholder="as known"
          maxLength={2}
          onInput={({ currentTarget }) => onQuery({ country: currentTarget.value.toUpperCase() })}
        />
      </label>
      <label class="stacked">
        <span>Device</span>
        <select
          class="field"
          value={query.get("device") ?? ""}
          onChange={({ currentTarget }) => onQuery({ device: currentTarget.value })}
        >
          {DEVICES.map((device) => (
            <option key={device} value={device}>
              {device === "" ? "as known" : device}
            </option>
          ))}
        </select>
      </label>
      <label class="stacked">
        <span>Why not</span>
        <ItemField value={missing} onValue={setMissing} onBlur={() => onQuery({ why_not: missing.trim() })} />
      </label>
      <button type="submit" class="btn">
        Show
      </button>
    </form>
  );
}

/** A slip in an id looks like somebody new: so it is said. */
function Unknown({ query }: { query: URLSearchParams }) {
  const person = query.get("person") ?? "";
  return person === "" ? null : <MaybeNobody key={person} id={person} person={personOfQuery(person)} />;
}

function MaybeNobody({ id, person }: { id: string; person: PersonRef }) {
  const { api } = useConsole();
  const { error } = useRead(`known ${api.project} ${id}`, () => api.profile(person));
  if (!(error instanceof ApiProblem) || error.status !== 404) return null;
  return (
    <p class="soft" role="status">
      Nobody is known as <code>{id}</code>: this is what a new visitor gets.
    </p>
  );
}

function contextOf(query: URLSearchParams): Record<string, string> {
  const context: Record<string, string> = {};
  for (const name of ["country", "device"]) {
    const value = query.get(name);
    if (value !== null && value !== "") context[name] = value;
  }
  return context;
}
