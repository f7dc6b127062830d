// What the privacy officer does for one person: what they allow, everything held on them, and forgetting them, with the proof.
import { useEffect, useState } from "preact/hooks";
import { personPath, type Api } from "../../api/client.ts";
import { PURPOSES, type ErasureJob, type PersonRef, type Purpose } from "../../api/types.ts";
import { useRead } from "../../api/use-read.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Outcome } from "../../parts/erasure-outcome.tsx";
import { nameOf } from "../../parts/ids.tsx";
import { adviceOn } from "../../parts/state.tsx";
import { useConsole } from "../../shell/context.ts";

const JOB_EVERY_MS = 700;
const ALLOWS: Record<Purpose, string> = {
  analytics: "keep the events",
  profiling: "shape a profile from them",
  personalization: "let lists follow the profile",
};

interface PrivacyProps {
  readonly person: PersonRef;
  /** Of nobody there is nothing to allow, to export or to erase; the proof of an erasure stays. */
  readonly isKnown: boolean;
  readonly onErased: () => void;
}

export function Privacy({ person, isKnown, onErased }: PrivacyProps) {
  const { api, notify } = useConsole();
  const [asks, setAsks] = useState(false);
  const [job, setJob] = useState<ErasureJob>();
  const [unanswered, setUnanswered] = useState(0);
  const name = nameOf(person);
  const failed = (error: unknown): void => notify(adviceOn(error), "bad");

  useEffect(() => {
    if (job?.status !== "running") return undefined;
    // The erasure goes on whether the node answers or not, and so does the asking: the page owes the proof.
    const timer = setTimeout(
      () => api.erasure(job.job_id).then(setJob, () => setUnanswered(unanswered + 1)),
      JOB_EVERY_MS,
    );
    return () => clearTimeout(timer);
  }, [job, unanswered]);

  const erase = (): void => {
    api.erase(person).then((started) => {
      setJob(started);
      onErased();
    }, failed);
  };
  if (!isKnown && job === undefined) return null;
  return (
    <Card title="Privacy">
      {isKnown ? (
        <>
          <Choices person={person} onFailed={failed} />
          <div class="row spaced">
            <a class="btn" href={exportUrl(api, person)} download={`${personPath(person)[1]}.ndjson`}>
              Export everything
            </a>
            <button type="button" class="btn" onClick={() => setAsks(true)} disabled={job?.status === "running"}>
              Erase …
            </button>
          </div>
        </>
      ) : null}
      {job === undefined ? null : <Outcome job={job} />}
      {asks ? (
        <Confirm title={`Erase ${name}?`} action="Erase for good" danger onConfirm={erase} onClose={() => setAsks(false)}>
          <p>
            They and all ids that are linked to them are forgotten at once. Their records leave the log, the keys that
            those were closed with are destroyed, and profiles, segments and models are derived anew without them.
          </p>
          <p>Nobody can take this back. Take the export first if they asked for it.</p>
        </Confirm>
      ) : null}
    </Card>
  );
}

function exportUrl(api: Api, person: PersonRef): string {
  return api.streamUrl(`/v1/privacy/${personPath(person).map(encodeURIComponent).join("/")}/export`, {});
}

function Choices({ person, onFailed }: { person: PersonRef; onFailed: (error: unknown) => void }) {
  const { api } = useConsole();
  const { data: consent, reload } = useRead(`consent ${api.project} ${nameOf(person)}`, () => api.consent(person));
  if (consent === undefined) return null;
  const choose = (purpose: Purpose, value: "granted" | "denied"): void => {
    api.setConsent(person, { [purpose]: value, source: "console" }).then(reload, onFailed);
  };
  return (
    <>
      {consent.source === "default" ? <p class="faint small">Not asked: the site's default.</p> : null}
      <ul aria-label="What this person allows">
        {PURPOSES.map((purpose) => {
          const isGranted = consent[purpose] === "granted";
          return (
            <li key={purpose} class="consent-row">
              <span>
                {purpose} <span class="faint small">{ALLOWS[purpose]}</span>
              </span>
              <button
                type="button"
                class="toggle"
                role="switch"
                aria-checked={isGranted}
                aria-label={`${purpose} granted`}
                onClick={() => choose(purpose, isGranted ? "denied" : "granted")}
              >
                {consent[purpose]} <i aria-hidden="true" />
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
