// What the privacy officer does for one person: what he allows, everything held on him, and forgetting him, with the proof.
import { useEffect, useState } from "preact/hooks";
import { personPath } from "../../api/client.ts";
import { PURPOSES, type Consent, type ErasureJob, type PersonRef, type Purpose } from "../../api/types.ts";
import { useRead } from "../../api/use-read.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { nameOf } from "../../parts/ids.tsx";
import { adviceOn } from "../../parts/state.tsx";
import { useConsole } from "../../shell/context.ts";

const JOB_EVERY_MS = 700;
const ALLOWS: Record<Purpose, string> = {
  analytics: "keep the events",
  profiling: "shape a profile from them",
  personalization: "let lists follow the profile",
};

export function Privacy({ person, onErased }: { person: PersonRef; onErased: () => void }) {
  const { api, notify } = useConsole();
  const [asks, setAsks] = useState(false);
  const [job, setJob] = useState<{ of: string; job: ErasureJob }>();
  const name = nameOf(person);
  const current = job?.of === name ? job.job : undefined;
  const consent = useRead(`consent ${api.project} ${name}`, () => api.consent(person));
  const failed = (error: unknown): void => notify(adviceOn(error), "bad");

  useEffect(() => {
    if (current?.status !== "running") return;
    const timer = setTimeout(() => {
      api.erasure(current.job_id).then((next) => setJob({ of: name, job: next }), failed);
    }, JOB_EVERY_MS);
    return () => clearTimeout(timer);
  }, [job]);

  const erase = (): void => {
    api.erase(person).then((started) => {
      setJob({ of: name, job: started });
      consent.reload();
      onErased();
    }, failed);
  };
  const choose = (purpose: Purpose, value: "granted" | "denied"): void => {
    api.setConsent(person, { [purpose]: value, source: "console" }).then(() => consent.reload(), failed);
  };
  const exportUrl = api.streamUrl(`/v1/privacy/${personPath(person).map(encodeURIComponent).join("/")}/export`, {});
  return (
    <Card title="Privacy" note={consent.data?.source === "default" ? "not asked: the site's default" : undefined}>
      {consent.data === undefined ? null : <Choices consent={consent.data} onChoose={choose} />}
      <div class="row spaced">
        <a class="btn" href={exportUrl} download={`${personPath(person)[1]}.ndjson`}>
          Export everything
        </a>
        <button type="button" class="btn" onClick={() => setAsks(true)} disabled={current?.status === "running"}>
          Erase …
        </button>
      </div>
      {current === undefined ? null : <Outcome job={current} />}
      {asks ? (
        <Confirm title={`Erase ${name}?`} action="Erase for good" onConfirm={erase} onClose={() => setAsks(false)}>
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

function Choices({ consent, onChoose }: { consent: Consent; onChoose: (purpose: Purpose, value: "granted" | "denied") => void }) {
  return (
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
              onClick={() => onChoose(purpose, isGranted ? "denied" : "granted")}
            >
              {consent[purpose]} <i aria-hidden="true" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Outcome({ job }: { job: ErasureJob }) {
  const { proof } = job;
  return (
    <div class="spaced" role="status">
      <Chip tone={job.status === "done" ? "good" : undefined}>{job.status === "done" ? "erased, and proven" : "erasing …"}</Chip>
      <dl class="facts">
        <dt>Job</dt>
        <dd>
          <code class="cut">{job.job_id}</code>
        </dd>
        {proof === undefined ? null : (
          <>
            <dt>Records erased</dt>
            <dd class="num">{proof.log.records_erased}</dd>
            <dt>Segments rewritten</dt>
            <dd class="num">{proof.log.segments_rewritten}</dd>
            <dt>Keys destroyed</dt>
            <dd>{proof.log.keys_destroyed ? "yes" : "no: the log is not encrypted"}</dd>
            <dt>Found afterwards</dt>
            <dd class="num">
              {proof.scan.records_found} of {proof.scan.records_read}
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
