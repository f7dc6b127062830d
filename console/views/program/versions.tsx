// Earlier versions: what each would change, and the way back.
import { useState } from "preact/hooks";
import { ApiProblem, type TaggedProgram } from "../../api/client.ts";
import type { ProgramVersions } from "../../api/types.ts";
import { useRead, type Reading } from "../../api/use-read.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Diff, DiffCount } from "../../parts/diff.tsx";
import { RelativeTime } from "../../parts/relative-time.tsx";
import { adviceOn, Failed, Loading } from "../../parts/state.tsx";
import { documentText } from "../../program/document.ts";
import { useConsole } from "../../shell/context.ts";

const VERSIONS_SHOWN = 20;

export function Versions({
  versions,
  current,
  onChanged,
}: {
  versions: Reading<ProgramVersions>;
  current: TaggedProgram;
  onChanged: () => void;
}) {
  const [opened, setOpened] = useState<number | undefined>(undefined);
  const list = versions.data?.versions ?? [];
  return (
    <Card
      title="Versions"
      note={list.length > VERSIONS_SHOWN ? `newest ${VERSIONS_SHOWN} of ${list.length}` : undefined}
      flush
    >
      {versions.data === undefined ? (
        versions.error === undefined ? (
          <Loading rows={3} />
        ) : (
          <Failed what="The versions" error={versions.error} onRetry={versions.reload} />
        )
      ) : (
        <ul class="versions">
          {list.slice(0, VERSIONS_SHOWN).map(({ version, created_at }) => (
            <li key={version}>
              <span class="num">version {version}</span>
              <span class="faint">
                <RelativeTime at={created_at} />
              </span>
              {version === current.version ? (
                <Chip tone="accent">in effect</Chip>
              ) : (
                <button
                  type="button"
                  class="btn small"
                  aria-expanded={opened === version}
                  onClick={() => setOpened(opened === version ? undefined : version)}
                >
                  Compare
                </button>
              )}
              {opened === version && version !== current.version ? (
                <Comparison
                  version={version}
                  current={current}
                  onChanged={() => {
                    setOpened(undefined);
                    onChanged();
                  }}
                  onOvertaken={onChanged}
                />
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Comparison({
  version,
  current,
  onChanged,
  onOvertaken,
}: {
  version: number;
  current: TaggedProgram;
  onChanged: () => void;
  /** Another program came into effect meanwhile: the comparison is to be with that one. */
  onOvertaken: () => void;
}) {
  const { api, notify } = useConsole();
  /** The program that was in effect when it was asked for: no other one is to go. */
  const [asked, setAsked] = useState<TaggedProgram | undefined>(undefined);
  const read = useRead(`program ${api.project} ${version}`, () => api.program(version));
  if (read.data === undefined)
    return read.error === undefined ? (
      <Loading rows={3} />
    ) : (
      <Failed what={`Version ${version}`} error={read.error} onRetry={read.reload} />
    );
  const before = documentText(current);
  const after = documentText(read.data);
  const rollBack = async ({ tag }: TaggedProgram): Promise<void> => {
    try {
      const answer = await api.rollbackProgram(version, tag);
      notify(`Version ${version} is back in effect, as version ${answer.version}.`);
      onChanged();
    } catch (error) {
      if (error instanceof ApiProblem && error.code === "program_changed") onOvertaken();
      notify(`Nothing was changed. ${adviceOn(error)}`, "bad");
    }
  };
  return (
    <div class="comparison">
      <div class="row">
        <span class="soft small">
          going back would change <DiffCount before={before} after={after} />
        </span>
        <button type="button" class="btn small" onClick={() => setAsked(current)}>
          Roll back
        </button>
      </div>
      <Diff label={`What going back to version ${version} changes`} before={before} after={after} />
      {asked !== undefined ? (
        <Confirm
          title={`Roll back to version ${version}?`}
          action="Roll back"
          onConfirm={() => void rollBack(asked)}
          onClose={() => setAsked(undefined)}
        >
          The document of version {version} becomes a new version and takes effect at once for everybody. Version{" "}
          {asked.version} is kept.
        </Confirm>
      ) : null}
    </div>
  );
}
