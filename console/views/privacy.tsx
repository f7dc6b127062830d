// What is stored, what for, and how long: what a privacy officer is asked.
import { useState } from "preact/hooks";
import type { InventoryField, InventoryKind, RetentionRun } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Outcome } from "../parts/erasure-outcome.tsx";
import { formatCounted, formatSpan } from "../parts/format.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";

const JOB_EVERY_MS = 2000;

export function PrivacyView({ query }: { query: URLSearchParams }) {
  const { api, links } = useConsole();
  const jobId = query.get("job") ?? "";
  const retention = useRead(`retention ${api.project}`, () => api.retention());
  const inventory = useRead(`inventory ${api.project}`, () => api.inventory());
  return (
    <>
      <ViewHead
        title="Privacy"
        about="What is stored, what for, and how long. Export, erase and consent are on each person's page."
        end={
          <a class="btn" href={links.view(["people"])}>
            Find a person
          </a>
        }
      />
      <div class="stack">
        {jobId === "" ? null : <Erasure key={jobId} jobId={jobId} />}
        <Erasures />
        <Card title="How long" note={retention.data === undefined ? undefined : <LastRun run={retention.data.last_run} />} flush>
          {retention.data === undefined ? (
            retention.error === undefined ? (
              <Loading rows={7} />
            ) : (
              <Failed what="The retention" error={retention.error} onRetry={retention.reload} />
            )
          ) : (
            <Table
              label="Retention"
              rows={retention.data.policy}
              keyOf={({ kind }) => kind}
              columns={[
                { head: "Setting", width: "144px", narrowWidth: "112px", cell: ({ kind }) => <code>{kind}</code> },
                { head: "What", cell: ({ about }) => about },
                { head: "Kept", width: "96px", align: "right", cell: ({ age }) => formatSpan(age) },
              ]}
            />
          )}
        </Card>
        {inventory.data === undefined ? (
          <Card title="Inventory">
            {inventory.error === undefined ? (
              <Loading rows={8} />
            ) : (
              <Failed what="The inventory" error={inventory.error} onRetry={inventory.reload} />
            )}
          </Card>
        ) : (
          <Inventory kinds={inventory.data} />
        )}
      </div>
    </>
  );
}

function Erasure({ jobId }: { jobId: string }) {
  const { api } = useConsole();
  const job = useRead(`erasure ${api.project} ${jobId}`, () => api.erasure(jobId), JOB_EVERY_MS);
  return (
    <Card title="Erasure">
      {job.data !== undefined ? (
        <Outcome job={job.data} />
      ) : job.error === undefined ? (
        <Loading rows={4} />
      ) : (
        <Failed what="The erasure" error={job.error} onRetry={job.reload} />
      )}
    </Card>
  );
}

function Erasures() {
  const { api, links } = useConsole();
  const erasures = useRead(`erasures ${api.project}`, () => api.erasures());
  if (erasures.error !== undefined)
    return (
      <Card title="Erasures">
        <Failed what="The erasures" error={erasures.error} onRetry={erasures.reload} />
      </Card>
    );
  if (erasures.data === undefined || erasures.data.length === 0) return null;
  return (
    <Card title="Erasures" note="the newest ten that were asked for; the job has the proof" flush>
      <Table
        label="Erasures"
        rows={erasures.data}
        keyOf={({ seq }) => String(seq)}
        columns={[
          { head: "When", width: "144px", narrowWidth: "112px", cell: ({ at }) => <RelativeTime at={at} /> },
          {
            head: "Job",
            cell: ({ details }) => {
              const job = String(details?.["job_id"]);
              return (
                <a class="id" href={links.view(["privacy"], { job })}>
                  {job}
                </a>
              );
            },
          },
          { head: "By", width: "160px", wideOnly: true, cell: ({ actor }) => <code class="cut">{actor}</code> },
        ]}
      />
    </Card>
  );
}

function LastRun({ run }: { run: RetentionRun | null }) {
  if (run === null) return <>has not run since the node was started</>;
  const persons = run.profiles_expired + run.visitors_expired;
  return (
    <>
      last run <RelativeTime at={run.at} />: {formatCounted(persons, "person")}, {formatCounted(run.dead_letters_expired, "refused event")} gone
    </>
  );
}

function Inventory({ kinds }: { kinds: readonly InventoryKind[] }) {
  const [chosen, setChosen] = useState(kinds[0]?.kind ?? "");
  const kind = kinds.find((one) => one.kind === chosen) ?? kinds[0];
  if (kind === undefined) return null;
  return (
    <Card
      title="Inventory"
      note={`${formatCounted(kind.fields.length, "field")}, in ${kind.where}`}
      end={
        <select class="field choice" aria-label="Kind of data" value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
          {kinds.map(({ kind: name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      }
      flush
    >
      <Table
        label={kind.title}
        rows={kind.fields}
        keyOf={({ field }) => field}
        columns={[
          { head: "Field", width: "184px", narrowWidth: "128px", cell: ({ field }) => <code class="cut">{field}</code> },
          { head: "Purpose", cell: (field) => <Purpose of={field} /> },
          { head: "Kept", width: "160px", narrowWidth: "88px", cell: ({ kept }) => formatSpan(kept) },
          { head: "In export", width: "88px", wideOnly: true, cell: ({ in_export: isShown }) => (isShown ? "yes" : "no") },
          { head: "Encrypted", width: "96px", wideOnly: true, cell: ({ encrypted }) => sayEncrypted(encrypted) },
        ]}
      />
    </Card>
  );
}

function Purpose({ of: { purpose, class: kind } }: { of: InventoryField }) {
  return (
    <>
      <div>{purpose}</div>
      <div class="faint">{kind}</div>
    </>
  );
}

function sayEncrypted(encrypted: InventoryField["encrypted"]): string {
  return encrypted === true ? "yes" : encrypted === false ? "no" : encrypted;
}
