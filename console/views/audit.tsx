// The audit trail, newest first.
import type { ComponentChildren } from "preact";
import type { AuditEntry } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { formatExact, timeOf } from "../parts/format.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";

export function AuditView({ query }: { query: URLSearchParams }) {
  const { api, links } = useConsole();
  const before = Number(query.get("before")) || undefined;
  const page = useRead(`audit ${api.project} ${before ?? ""}`, () => api.audit(before));
  return (
    <>
      <ViewHead
        title="Audit"
        about="Who read, changed, exported and erased what. All projects share the trail: a number that is missing here is another project's."
      />
      <Card
        title={before === undefined ? "Newest entries" : `Entries before ${before}`}
        note={
          <>
            each carries the hash of the one before: <code>attune audit verify</code>
          </>
        }
        flush
      >
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
              { head: "When", width: "120px", narrowWidth: "96px", cell: (entry) => <RelativeTime at={entry.at} /> },
              { head: "Who", width: "160px", narrowWidth: "72px", cell: (entry) => <code class="cut">{entry.actor}</code> },
              { head: "What", cell: (entry) => <What of={entry} /> },
            ]}
          />
        )}
      </Card>
      <div class="row">
        {before === undefined ? null : (
          <a class="btn" href={links.view(["audit"])}>
            Newest
          </a>
        )}
        {page.data === undefined || page.data.next === null ? null : (
          <a class="btn" href={links.view(["audit"], { before: String(page.data.next) })}>
            Older
          </a>
        )}
      </div>
    </>
  );
}

/** Routes that change something, in words; any other is named as it is. */
const ACTIONS: Readonly<Record<string, string>> = {
  retention: "What had reached its age was removed",
  "erasure done": "An erasure was finished and proven",
  "PUT /v1/program": "The program was saved",
  "POST /v1/program/rollback": "An earlier program was brought back",
  "PUT /v1/items": "Items were put",
  "DELETE /v1/items/{item_id}": "An item was deleted",
  "POST /v1/keys": "A key was made",
  "POST /v1/keys/{key_id}/rotate": "A key was rotated",
  "DELETE /v1/keys/{key_id}": "A key was revoked",
  "POST /v1/token-secrets": "A secret for users' tokens was made",
  "POST /v1/user-tokens": "A user's token was issued",
  "POST /v1/session": "Somebody logged in",
  "DELETE /v1/session": "Somebody logged out",
  "POST /v1/dead-letters/{id}/retry": "A refused event was sent again",
  "DELETE /v1/privacy/users/{user_id}": "A user's erasure began",
  "DELETE /v1/privacy/visitors/{anonymous_id}": "A visitor's erasure began",
  "GET /v1/privacy/users/{user_id}/export": "All that is held on a user was exported",
  "GET /v1/privacy/visitors/{anonymous_id}/export": "All that is held on a visitor was exported",
  "PUT /v1/privacy/users/{user_id}/consent": "A user's consent was set",
  "PUT /v1/privacy/visitors/{anonymous_id}/consent": "A visitor's consent was set",
  "GET /v1/users/{user_id}/profile": "A user's profile was read",
  "GET /v1/visitors/{anonymous_id}/profile": "A visitor's profile was read",
  "PATCH /v1/users/{user_id}/profile": "A user's attributes were changed",
};
function What({ of: { action, details = {}, subject } }: { of: AuditEntry }) {
  const { links } = useConsole();
  const { job_id: job, ...others } = details;
  const facts: ComponentChildren[] = Object.entries(others)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${readable(value)}`);
  if (subject !== undefined) facts.push(`person ${subject.slice(0, 8)}`);
  if (job !== undefined) facts.push(<a href={links.view(["privacy"], { job: String(job) })}>job {job}</a>);
  const words = ACTIONS[action];
  return (
    <>
      {words === undefined ? (
        <div>{action}</div>
      ) : (
        <div>
          {words} <code class="faint">{action}</code>
        </div>
      )}
      {facts.length === 0 ? null : <div class="faint">{facts.map((fact, index) => [index > 0 ? " · " : "", fact])}</div>}
    </>
  );
}

/** A time as everywhere else in the console; the rest as it is. */
function readable(value: unknown): string {
  const isTime = typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
  return isTime ? formatExact(timeOf(value)) : String(value);
}
