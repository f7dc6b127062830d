// The audit trail, newest first.
import { useState } from "preact/hooks";
import type { AuditEntry } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { formatExact, timeOf } from "../parts/format.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";

export function AuditView() {
  const { api } = useConsole();
  const [before, setBefore] = useState<number>();
  const page = useRead(`audit ${api.project} ${before ?? ""}`, () => api.audit(before));
  return (
    <>
      <ViewHead
        title="Audit"
        about="Who read, changed, exported and erased what. Each entry carries the hash of the one before: attune audit verify."
      />
      <Card title={before === undefined ? "Newest entries" : `Entries before ${before}`} flush>
        {page.data === undefined ? (
          page.error === undefined ? (
            <Loading rows={8} />
          ) : (
            <Failed what="The trail" error={page.error} onRetry={page.reload} />
          )
        ) : page.data.entries.length === 0 ? (
          <Empty icon="audit" title="Nothing has been taken down yet">
            Changes are, and what keys with read rights read of persons.
          </Empty>
        ) : (
          <Table
            label="Audit trail"
            rows={page.data.entries}
            keyOf={(entry) => String(entry.seq)}
            columns={[
              { head: "No.", width: "72px", align: "right", wideOnly: true, cell: (entry) => entry.seq },
              { head: "When", width: "120px", cell: (entry) => <RelativeTime at={entry.at} /> },
              { head: "Who", width: "160px", cell: (entry) => <code class="cut">{entry.actor}</code> },
              { head: "What", cell: (entry) => <What of={entry} /> },
            ]}
          />
        )}
      </Card>
      <div class="row">
        {before === undefined ? null : (
          <button type="button" class="btn" onClick={() => setBefore(undefined)}>
            Newest
          </button>
        )}
        {page.data === undefined || page.data.next === null ? null : (
          <button type="button" class="btn" onClick={() => setBefore(page.data!.next!)}>
            Older
          </button>
        )}
      </div>
    </>
  );
}

function What({ of: { action, details = {}, subject } }: { of: AuditEntry }) {
  const facts = Object.entries(details)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${readable(value)}`);
  if (subject !== undefined) facts.push(`person ${subject.slice(0, 8)}`);
  return (
    <>
      <div>{action}</div>
      {facts.length === 0 ? null : <div class="faint">{facts.join(" · ")}</div>}
    </>
  );
}

/** A time as everywhere else in the console; the rest as it is. */
function readable(value: unknown): string {
  const isTime = typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
  return isTime ? formatExact(timeOf(value)) : String(value);
}
