// Every segment of the program with its live size and how it has moved.
import { useRead } from "../api/use-read.ts";
import type { Segment } from "../api/types.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { formatCount, formatCounted, formatShare } from "../parts/format.ts";
import { LearnedSummary } from "../parts/learned.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";
import { useStats } from "../shell/stats.ts";

const SIZES_EVERY_MS = 2000;

/** A list that fits a screen needs no search. */
const SEARCHED_FROM = 13;

export function SegmentsView({ query }: { query: URLSearchParams }) {
  const { api, links } = useConsole();
  const stats = useStats();
  const segments = useRead(`segments ${api.project}`, () => api.segments(), SIZES_EVERY_MS);
  const sought = query.get("find") ?? "";
  const found = (segments.data ?? []).filter((segment) => isFound(segment, sought));
  const persons = stats.data?.totals.persons ?? 0;
  const courses = stats.data?.series.segments ?? {};
  const courseOf = (segment: Segment): number[] => [
    ...(courses[segment.name] ?? []).map((size) => size ?? NaN),
    segment.size,
  ];
  return (
    <>
      <ViewHead
        title="Segments"
        about="Rules of the program, and groups that trainings found. Membership follows each event, and time without one."
        end={
          <a class="btn" href={links.program(["segments"])}>
            Edit in the program
          </a>
        }
      />
      <Card
        title="Definitions"
        note={
          segments.data === undefined
            ? undefined
            : `${sought === "" ? "" : `${formatCount(found.length)} of `}${formatCounted(segments.data.length, "segment")}, ${formatCounted(persons, "person")}`
        }
        end={
          (segments.data ?? []).length < SEARCHED_FROM && sought === "" ? null : (
            <input
              type="search"
              class="field"
              aria-label="Find a segment"
              placeholder="a name, a word, a rule"
              spellcheck={false}
              value={sought}
              onInput={({ currentTarget }) => go(links.view(["segments"], { find: currentTarget.value }), { replace: true })}
            />
          )
        }
        flush
      >
        {segments.data === undefined ? (
          segments.error === undefined ? (
            <Loading rows={8} />
          ) : (
            <Failed what="The segments" error={segments.error} onRetry={segments.reload} />
          )
        ) : segments.data.length === 0 ? (
          <Empty
            icon="segments"
            title="The program defines no segment"
            action={
              <a class="btn primary" href={links.view(["program"])}>
                Open the program
              </a>
            }
          >
            Add one under <code>segments</code>, for example{" "}
            <code>{'"buyers": {"when": "count(\\"purchase\\", \\"30d\\") > 0"}'}</code>.
          </Empty>
        ) : found.length === 0 ? (
          <Empty icon="segments" title="No segment has these words">
            They are looked for in names, descriptions and rules.
          </Empty>
        ) : (
          <Table
            label="Segments"
            rows={found}
            keyOf={(segment) => segment.name}
            columns={[
              { head: "Segment", cell: (segment) => <Definition segment={segment} /> },
              {
                head: "Last 10 min",
                width: "144px",
                wideOnly: true,
                cell: (segment) => <Course name={segment.name} sizes={courseOf(segment)} />,
              },
              {
                head: "Change",
                width: "72px",
                align: "right",
                wideOnly: true,
                cell: (segment) => <Change sizes={courseOf(segment)} />,
              },
              {
                head: "Share",
                width: "72px",
                align: "right",
                wideOnly: true,
                cell: (segment) => <span class="soft">{persons > 0 ? formatShare(segment.size / persons) : "–"}</span>,
              },
              {
                head: "Size",
                width: "80px",
                align: "right",
                cell: (segment) => <strong>{formatCount(segment.size)}</strong>,
              },
            ]}
          />
        )}
      </Card>
    </>
  );
}

/** Every word somewhere in the name, the description or the rule, in capitals or not. */
function isFound({ name, description, when }: Segment, sought: string): boolean {
  const text = `${name} ${description ?? ""} ${when}`.toLowerCase();
  return sought.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function Definition({ segment }: { segment: Segment }) {
  const { links } = useConsole();
  return (
    <>
      <div class="row definition">
        <a class="breaks" href={links.segment(segment.name)}>
          {segment.name}
        </a>{" "}
        {segment.description ? <span class="soft">{segment.description}</span> : null}
      </div>
      {segment.learned === undefined ? <div class="cel">{segment.when}</div> : <LearnedSummary segment={segment} />}
    </>
  );
}

function Course({ name, sizes }: { name: string; sizes: readonly number[] }) {
  const known = sizes.filter(Number.isFinite);
  return <Sparkline values={sizes} label={`Size of ${name}: from ${known[0] ?? 0} to ${known.at(-1) ?? 0}`} />;
}

function Change({ sizes }: { sizes: readonly number[] }) {
  const known = sizes.filter(Number.isFinite);
  const change = (known.at(-1) ?? 0) - (known[0] ?? 0);
  if (change === 0) return <span class="faint">±0</span>;
  return (
    <span class="soft">
      {change > 0 ? "+" : "−"}
      {formatCount(Math.abs(change))}
    </span>
  );
}
