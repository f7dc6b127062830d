// The personalization program: read it, change it, see every fault where it is, save it, go back.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiProblem, type TaggedProgram } from "../api/client.ts";
import type { ProgramFault } from "../api/types.ts";
import { AGAIN_MS, isPassing, useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { CodeEditor, type Jump } from "../parts/code-editor.tsx";
import { Diff, DiffCount } from "../parts/diff.tsx";
import { adviceOn, Failed, Loading } from "../parts/state.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { documentText } from "../program/document.ts";
import { lineColumn, readJsonText, spanOf, type JsonText } from "../program/json-positions.ts";
import { useConsole } from "../shell/context.ts";
import { useDraft } from "../shell/drafts.ts";
import { Faults, type PlacedFault } from "./program/faults.tsx";
import { Outline } from "./program/outline.tsx";
import { Versions } from "./program/versions.tsx";

/** Writing pauses this long before the draft is checked by itself. */
const CHECK_PAUSE_MS = 500;
const VERSIONS_EVERY_MS = 5000;
const HAS_FAULTS = "Nothing was changed: the program has faults.";

export function ProgramView({ query }: { query: URLSearchParams }) {
  const { api } = useConsole();
  const program = useRead(`program ${api.project}`, () => api.program());
  const versions = useRead(`versions ${api.project}`, () => api.programVersions(), VERSIONS_EVERY_MS);
  if (program.data === undefined) {
    return (
      <>
        <ViewHead title="Program" about="What an interaction is worth, who is in which segment, what is shown where." />
        <div class="card">
          {program.error === undefined ? (
            <Loading rows={12} />
          ) : (
            <Failed what="The program" error={program.error} onRetry={program.reload} />
          )}
        </div>
      </>
    );
  }
  const reload = (): void => {
    program.reload();
    versions.reload();
  };
  const at = query.get("at") ?? "";
  return <Editor key={api.project} program={program.data} versions={versions} at={at} onChanged={reload} />;
}

type Tab = "edit" | "changes";

/** The saved document that a draft was made of. */
interface Base {
  readonly version: number;
  readonly tag: string;
  readonly text: string;
}

interface Kept {
  readonly text: string;
  readonly base: Base;
  /** The version that came into force under the draft; what it brought would go with the draft's next save. */
  readonly overtaken?: number | undefined;
}

function Editor({
  program,
  versions,
  at,
  onChanged,
}: {
  program: TaggedProgram;
  versions: Parameters<typeof Versions>[0]["versions"];
  /** The part to go to, as a JSON pointer; empty for none. */
  at: string;
  onChanged: () => void;
}) {
  const { api, notify } = useConsole();
  const saved = useMemo(() => documentText(program), [program]);
  const newest: Base = { version: program.version, tag: program.tag, text: saved };
  const [{ text: draft, base, overtaken }, setKept] = useDraft<Kept>(
    `program ${api.project}`,
    { text: saved, base: newest },
    ({ text, base }) => text !== base.text,
  );
  const setDraft = (text: string): void => setKept({ text, base, overtaken: text === base.text ? undefined : overtaken });
  const [tab, setTab] = useState<Tab>("edit");
  const [jump, setJump] = useState<Jump | undefined>(undefined);
  const [saving, setSaving] = useState(false);
  const changed = draft !== base.text;
  const written = useRef(draft);
  written.current = draft;

  // Another version became current (a save, a rollback, a colleague): an untouched draft follows, a touched one stays.
  useEffect(() => {
    if (program.version === base.version) return;
    if (!changed || saved === draft) return setKept({ text: saved, base: newest });
    setKept({ text: draft, base: newest, overtaken: saved === base.text ? overtaken : program.version });
  }, [program.version, saved]);
  const current = versions.data?.current ?? program.version;
  useEffect(() => {
    if (current !== program.version) onChanged();
  }, [current]);

  const json = useMemo(() => readJsonText(draft), [draft]);
  const check = useCheck(draft, json, changed);
  const faults = useMemo(() => syntaxFault(draft, json) ?? placed(draft, json, check.faults), [draft, json, check.faults]);
  const warnings = useMemo(() => placed(draft, json, check.warnings), [draft, json, check.warnings]);
  const marked = useMemo(() => new Set(faults.map((fault) => fault.line)), [faults]);
  const goTo = (span: Jump): void => {
    setTab("edit");
    setJump({ ...span });
  };
  useEffect(() => {
    if (at !== "" && json.positions !== undefined) goTo(spanOf(json.positions, at));
  }, [at]);

  const save = async (): Promise<void> => {
    if (!changed || saving) return;
    if (faults.length > 0) return notify(HAS_FAULTS, "bad");
    setSaving(true);
    try {
      const { version, tag } = await api.putProgram(draft, base.tag);
      setKept({ text: written.current, base: { version, tag, text: draft } });
      notify(`Version ${version} is saved and in effect.`);
      onChanged();
    } catch (error) {
      if (error instanceof ApiProblem && error.faults.length > 0) check.show(error.faults);
      if (error instanceof ApiProblem && error.code === "program_changed") onChanged();
      notify(
        error instanceof ApiProblem && error.faults.length > 0 ? HAS_FAULTS : `Nothing was changed. ${adviceOn(error)}`,
        "bad",
      );
    } finally {
      setSaving(false);
    }
  };

  return (
    <>
      <ViewHead
        title="Program"
        about={
          <span class="num">
            {typeof program["name"] === "string" ? `${program["name"]}, ` : ""}version {program.version}
            {program.created_at ? (
              <>
                , in effect since <RelativeTime at={program.created_at} />
              </>
            ) : null}
          </span>
        }
        end={
          <>
            <Outcome faults={faults} checking={check.checking} changed={changed} error={check.error} />
            <button type="button" class="btn" disabled={!changed} onClick={() => setDraft(base.text)}>
              Discard
            </button>
            <button type="button" class="btn" onClick={() => void check.now()}>
              Check
            </button>
            <button
              type="button"
              class="btn primary"
              disabled={!changed || saving || faults.length > 0}
              onClick={() => void save()}
            >
              {saving ? "Saving …" : "Save"}
            </button>
          </>
        }
      />
      <div class="grid">
        <div class="stack span-8">
          {overtaken !== undefined && changed ? (
            <div class="card notice" role="alert">
              <p>
                Version {overtaken} came into force while you were writing. Your draft does not have what it brought: saved as
                it is, it takes that back.
              </p>
              <button type="button" class="btn small" onClick={() => setTab("changes")}>
                See what saving would change
              </button>
            </div>
          ) : null}
          {faults.length > 0 ? <Faults faults={faults} onJump={goTo} /> : null}
          {warnings.length > 0 ? <Faults kind="warning" faults={warnings} onJump={goTo} /> : null}
          <Card
            title="Document"
            flush
            end={
              <>
                {changed ? <DiffCount before={base.text} after={draft} /> : null}
                <Tabs
                  label="Face"
                  names={["edit", "changes"]}
                  titles={{ edit: "Edit", changes: "Changes" }}
                  chosen={tab}
                  onChoose={(name) => setTab(name as Tab)}
                />
              </>
            }
          >
            {tab === "edit" ? (
              <CodeEditor
                label="Program document, JSON"
                text={draft}
                onText={setDraft}
                marked={marked}
                jump={jump}
                onSave={() => void save()}
              />
            ) : changed ? (
              <Diff label="Changes since the saved version" before={base.text} after={draft} />
            ) : (
              <p class="soft pad">
                The draft is the same as version {base.version}. Change something, and the difference is shown here
                before it is saved.
              </p>
            )}
          </Card>
        </div>
        <div class="stack span-4">
          <Outline json={json} draft={draft} onJump={goTo} />
          <Versions versions={versions} current={program} onChanged={onChanged} />
        </div>
      </div>
    </>
  );
}

function Outcome({
  faults,
  checking,
  changed,
  error,
}: {
  faults: readonly PlacedFault[];
  checking: boolean;
  changed: boolean;
  error: unknown;
}) {
  if (faults.length > 0)
    return (
      <Chip tone="bad">
        {faults.length} {faults.length === 1 ? "fault" : "faults"}
      </Chip>
    );
  if (error !== undefined)
    return (
      <Chip tone="warn" title={adviceOn(error)}>
        not checked: no answer
      </Chip>
    );
  if (checking) return <Chip>checking …</Chip>;
  return changed ? <Chip tone="good">no fault, not saved</Chip> : <Chip>saved</Chip>;
}

interface Found {
  text: string;
  faults: readonly ProgramFault[];
  warnings: readonly ProgramFault[];
  error: unknown;
}

/** Checks the draft when writing pauses, or now. What a check of an older text found is never shown. */
function useCheck(draft: string, json: JsonText, changed: boolean) {
  const { api } = useConsole();
  const [found, setFound] = useState<Found>({
    text: "",
    faults: [],
    warnings: [],
    error: undefined,
  });
  const [checking, setChecking] = useState(false);
  const turn = useRef(0);
  const now = async (): Promise<void> => {
    if (json.fault !== undefined) return;
    const mine = ++turn.current;
    setChecking(true);
    try {
      const answer = await api.checkProgram(draft);
      if (mine === turn.current) setFound({ text: draft, ...answer, error: undefined });
    } catch (error) {
      if (mine === turn.current)
        setFound({ text: draft, faults: error instanceof ApiProblem ? error.faults : [], warnings: [], error });
    } finally {
      if (mine === turn.current) setChecking(false);
    }
  };
  useEffect(() => {
    if (json.fault !== undefined) return undefined;
    const timer = setTimeout(() => void now(), CHECK_PAUSE_MS);
    return () => {
      turn.current++;
      clearTimeout(timer);
    };
  }, [draft, changed]);
  const current = found.text === draft;
  const isAgain = current && isPassing(found.error);
  useEffect(() => {
    if (!isAgain) return undefined;
    const timer = setTimeout(() => void now(), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [found, isAgain]);
  return {
    faults: current ? found.faults : [],
    warnings: current ? found.warnings : [],
    error: current ? found.error : undefined,
    checking,
    now,
    show: (faults: readonly ProgramFault[]) => setFound({ text: draft, faults, warnings: [], error: undefined }),
  };
}

/** The one fault of a draft that is no JSON: nothing else can be told of it. */
function syntaxFault(draft: string, { fault }: JsonText): PlacedFault[] | undefined {
  if (fault === undefined) return undefined;
  const { offset, message } = fault;
  const span = { start: offset, end: Math.min(draft.length, offset + 1) };
  return [{ path: "", code: "bad_json", message, span, ...lineColumn(draft, offset) }];
}

function placed(draft: string, { positions }: JsonText, faults: readonly ProgramFault[]): PlacedFault[] {
  if (positions === undefined) return [];
  return faults.map((fault) => {
    const span = spanOf(positions, fault.path);
    return { ...fault, span, ...lineColumn(draft, span.start) };
  });
}
