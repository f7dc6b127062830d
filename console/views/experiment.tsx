// One experiment: what each variant brings, how sure that is, and whether the numbers can be trusted.
import { useState } from "preact/hooks";
import type { Experiment } from "../api/types.ts";
import { ApiProblem } from "../api/client.ts";
import { useRead } from "../api/use-read.ts";
import { ViewHead } from "../parts/card.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { formatDuration } from "../parts/format.ts";
import { adviceOn, Empty, Failed, Loading } from "../parts/state.tsx";
import { documentText } from "../program/document.ts";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";
import { Everybody } from "./experiments/everybody.tsx";
import { Guards } from "./experiments/guards.tsx";
import { Interleaving } from "./experiments/interleaving.tsx";
import { LiftOverTime } from "./experiments/lift-over-time.tsx";
import { Metrics } from "./experiments/metrics.tsx";
import { Trust } from "./experiments/trust.tsx";
import { Variants } from "./experiments/variants.tsx";

const EVERY_MS = 3000;

export function ExperimentView({ name }: { name: string }) {
  const { api, links } = useConsole();
  const reading = useRead(`experiment ${api.project} ${name}`, () => api.experiment(name), EVERY_MS);
  const experiment = reading.data;
  const isGone = reading.error instanceof ApiProblem && reading.error.status === 404;
  return (
    <>
      <ViewHead
        title={name}
        about={experiment === undefined ? "Experiment" : aboutOf(experiment)}
        end={
          <>
            {experiment === undefined ? null : (
              <>
                <End name={name} />
                <a class="btn" href={links.program(["experiments", name])}>
                  Edit in the program
                </a>
              </>
            )}
            <a class="btn" href={links.view(["experiments"])}>
              All experiments
            </a>
          </>
        }
      />
      {experiment !== undefined ? (
        <Whole experiment={experiment} />
      ) : (
        <div class="card">
          {reading.error === undefined ? (
            <Loading rows={6} />
          ) : isGone ? (
            <Empty
              icon="experiments"
              title="The current program has no such experiment"
              action={
                <a class="btn" href={links.view(["program"])}>
                  Versions of the program
                </a>
              }
            >
              It may have been renamed or have ended; a definition that comes back goes on where it was.
            </Empty>
          ) : (
            <Failed what="The experiment" error={reading.error} onRetry={reading.reload} />
          )}
        </div>
      )}
    </>
  );
}

/** Takes it out of the program, after a question. */
function End({ name }: { name: string }) {
  const { api, links, notify } = useConsole();
  const [asking, setAsking] = useState(false);
  const [ending, setEnding] = useState(false);
  const end = async (): Promise<void> => {
    setEnding(true);
    try {
      const { tag, ...program } = await api.program();
      const others = Object.entries(program.experiments ?? {}).filter(([other]) => other !== name);
      const { version } = await api.putProgram(documentText({ ...program, experiments: Object.fromEntries(others) }), tag);
      notify(`Version ${version} is saved: ${name} has ended. Version ${program.version} of the program brings it back.`);
      go(links.view(["experiments"]));
    } catch (fault) {
      notify(`Nothing was changed. ${adviceOn(fault)}`, "bad");
      setEnding(false);
    }
  };
  return (
    <>
      <button type="button" class="btn" disabled={ending} onClick={() => setAsking(true)}>
        {ending ? "Ending …" : "End …"}
      </button>
      {asking ? (
        <Confirm title={`End ${name}?`} action="End it" onConfirm={() => void end()} onClose={() => setAsking(false)}>
          <p>
            It is taken out of the program: from the next page on everybody sees what the program says without it. Its
            numbers are no longer shown, and are kept: put back as it is, it goes on where it was.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function aboutOf({ holdout, interleave, primary, window_s, control }: Experiment): string {
  if (interleave !== null) return `Lists of ${interleave} mix two rankings; what is clicked decides.`;
  const measured = `Decided by ${primary}, within ${formatDuration(window_s * 1000)} after a person's first exposure`;
  return holdout ? `What everything personal is worth. ${measured}.` : `${measured}; compared with ${control}.`;
}

function Whole({ experiment }: { experiment: Experiment }) {
  const { interleaving } = experiment;
  return (
    <div class="stack">
      <Trust experiment={experiment} />
      {interleaving === null ? (
        <>
          <Variants experiment={experiment} />
          <div class="grid">
            <div class="stack span-8">
              <LiftOverTime experiment={experiment} />
              <Metrics experiment={experiment} />
            </div>
            <div class="stack span-4">
              <Guards experiment={experiment} />
              <Everybody experiment={experiment} />
            </div>
          </div>
        </>
      ) : (
        <Interleaving experiment={experiment} interleaving={interleaving} />
      )}
    </div>
  );
}
