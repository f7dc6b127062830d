// What tells a learned segment from everybody, in words that a reader takes in at once.
import type { Distinction, Segment } from "../api/types.ts";
import { Card } from "./card.tsx";
import { Chip } from "./chip.tsx";
import { formatCounted, formatShare } from "./format.ts";
import { RelativeTime } from "./relative-time.tsx";

const INTEREST = "interest:";

/** One line, for lists. */
export function LearnedSummary({ segment: { learned } }: { segment: Segment }) {
  if (learned === undefined) return null;
  if (learned.trained_at === null) return <span class="soft">waits for its first training</span>;
  if (learned.distinctions.length === 0) return <span class="soft">learnt from {formatCounted(learned.persons, "person")}</span>;
  return <span class="soft">{learned.distinctions.slice(0, 2).map(inWords).join(", ")}</span>;
}

/** All of it, for the segment's own page. */
export function LearnedCard({ segment: { learned } }: { segment: Segment }) {
  if (learned === undefined) return null;
  return (
    <Card title="What tells it from everybody" end={<Chip>{learned.method === "kmeans" ? "k-means" : "DBSCAN"}</Chip>}>
      {learned.distinctions.length > 0 ? (
        <dl class="pairs">
          {learned.distinctions.map((distinction) => (
            <div key={distinction.column}>
              <dt>{nameOf(distinction.column)}</dt>
              <dd class="num">
                {valueOf(distinction.column, distinction.mean)}{" "}
                <span class="faint">all: {valueOf(distinction.column, distinction.of_all)}</span>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p class="soft">{learned.trained_at === null ? "Nothing yet: it waits for its first training." : "It holds every group of the family."}</p>
      )}
      <p class="soft">
        {formatCounted(learned.persons, "person")} of the sample
        {learned.trained_at === null ? null : (
          <>
            , learnt <RelativeTime at={learned.trained_at} />
          </>
        )}
      </p>
    </Card>
  );
}

function inWords(distinction: Distinction): string {
  const { column, mean, of_all: ofAll } = distinction;
  return `${mean > ofAll ? "more" : "less"} ${column.startsWith(INTEREST) ? "" : "of "}${nameOf(column)} (${valueOf(column, mean)}, all ${valueOf(column, ofAll)})`;
}

function nameOf(column: string): string {
  return column.slice(column.indexOf(":") + 1);
}

/** Interests are shares. Features are compared by their logarithm, which is taken back here. */
function valueOf(column: string, value: number): string {
  if (column.startsWith(INTEREST)) return formatShare(Math.max(0, value));
  const size = 2 ** Math.abs(value) - 1;
  return String(Number(((value < 0 ? -1 : 1) * size).toPrecision(3)));
}
