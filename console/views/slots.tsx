// Every slot of the program: those that learn with each variant's share, value and interval, the others by their rules.
import type { Slot, SlotArm, ValueEstimate } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { formatCount, formatCounted, formatDuration, formatNumber, formatShare, timeOf } from "../parts/format.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { scaleOf, Whisker } from "../parts/whisker.tsx";
import { useConsole } from "../shell/context.ts";

const EVERY_MS = 3000;
const POLICY_WORDS: Readonly<Record<string, string>> = {
  epsilon_greedy: "the best so far, now and then any",
  thompson: "each as often as it is likely to be the best",
  squarecb: "the best for this visitor, the others the less the worse they look",
  linucb: "what could be the best for this visitor, now and then any",
};

/** Policies whose shares differ from visitor to visitor. */
const CONTEXTUAL: ReadonlySet<string> = new Set(["squarecb", "linucb"]);

export function SlotsView() {
  const { api, links } = useConsole();
  const slots = useRead(`slots ${api.project}`, () => api.slots(), EVERY_MS);
  const all = slots.data ?? [];
  const learning = all.filter((slot) => slot.learning !== null);
  const ruled = all.filter((slot) => slot.learning === null);
  return (
    <>
      <ViewHead
        title="Slots"
        about="Parts of the page that have variants, and who decides which one a visitor sees."
        end={
          <a class="btn" href={links.program(["slots"])}>
            Edit in the program
          </a>
        }
      />
      {slots.data === undefined ? (
        <div class="card">
          {slots.error === undefined ? (
            <Loading rows={6} />
          ) : (
            <Failed what="The slots" error={slots.error} onRetry={slots.reload} />
          )}
        </div>
      ) : all.length === 0 ? (
        <div class="card">
          <Empty
            icon="slots"
            title="The program has no slot"
            action={
              <a class="btn primary" href={links.view(["program"])}>
                Open the program
              </a>
            }
          >
            Add one under <code>slots</code>: its variants, and a policy that decides between them.
          </Empty>
        </div>
      ) : (
        <div class="stack">
          {learning.map((slot) => (
            <Learning key={slot.name} slot={slot} learning={slot.learning!} />
          ))}
          {ruled.length === 0 ? null : (
            <Card title="By rules" note={formatCounted(ruled.length, "slot")} flush>
              <Table
                label="Slots by rules"
                rows={ruled}
                keyOf={({ name }) => name}
                columns={[
                  { head: "Slot", cell: ({ name, description }) => <Named name={name} description={description} /> },
                  {
                    head: "Variants",
                    width: "40%",
                    wideOnly: true,
                    cell: ({ variants }) => <span class="soft">{variants.join(", ")}</span>,
                  },
                  { head: "Rules", width: "64px", align: "right", cell: ({ rules }) => formatCount(rules) },
                  { head: "Otherwise", width: "112px", cell: (slot) => <code class="breaks">{slot.default ?? "nothing"}</code> },
                ]}
              />
            </Card>
          )}
        </div>
      )}
    </>
  );
}

function Named({ name, description }: { name: string; description: string | undefined }) {
  return (
    <div class="row wrap">
      <strong class="breaks">{name}</strong> {description === undefined ? null : <span class="soft">{description}</span>}
    </div>
  );
}

function Learning({ slot, learning }: { slot: Slot; learning: NonNullable<Slot["learning"]> }) {
  const arms = slot.arms.map((arm) => ({ ...arm, always: aboveZero(arm.off_policy.snips) }));
  const values = scaleOf(
    arms.map(({ always }) => always),
    0,
  );
  const { shown, reward, exploration, window_s, left_out, updated_at } = learning;
  return (
    <Card
      title={slot.name}
      note={`${slot.policy}: ${POLICY_WORDS[slot.policy] ?? ""}`}
      end={
        <>
          {slot.shadow ? <Chip tone="warn">shadow: {slot.default} is shown</Chip> : null}
          <Chip tone="accent">{formatCount(shown)} shown</Chip>
        </>
      }
      flush
    >
      <p class="card-lead soft">
        {slot.description === undefined ? null : <>{sentence(slot.description)} </>}
        {slot.rules === 0 ? null : slot.rules === 1 ? "1 rule comes first. " : `${slot.rules} rules come first. `}A reward of{" "}
        {shown === 0 ? "0" : formatNumber(reward / shown)} a choice so far, counted for{" "}
        {formatDuration(window_s * 1000)}; {formatShare(exploration)} of the choices are spread evenly.
        {left_out === 0 ? null : ` ${formatCounted(left_out, "choice")} left out: one address held more than its share.`}
        {CONTEXTUAL.has(slot.policy) ? " Shares are those of a visitor of whom nothing is known." : null}
        {updated_at === null ? null : (
          <>
            {" "}
            Learnt last <RelativeTime at={timeOf(updated_at)} />.
          </>
        )}
      </p>
      <Table
        label={`Variants of ${slot.name}`}
        rows={arms}
        keyOf={({ variant }) => variant}
        columns={[
          { head: "Variant", cell: ({ variant }) => <strong class="breaks">{variant}</strong> },
          { head: slot.shadow ? "Would show" : "Share now", width: "24%", narrowWidth: "88px", cell: (arm) => <Share arm={arm} /> },
          { head: "Shown", width: "80px", align: "right", cell: ({ shown: count }) => formatCount(count) },
          {
            head: "Reward",
            width: "80px",
            align: "right",
            cell: ({ mean }) => (mean === null ? <span class="faint">–</span> : formatNumber(mean)),
          },
          {
            head: "If it were always shown",
            width: "30%",
            wideOnly: true,
            cell: ({ variant, always, off_policy: { refused } }) =>
              always === null ? (
                <span class="faint" title={refused?.reason}>
                  {slot.shadow && variant !== slot.default
                    ? "not shown in the shadow"
                    : refused?.code === "too_few"
                      ? "too early"
                      : "shown too rarely to say"}
                </span>
              ) : (
                <div class="lift">
                  <Whisker
                    {...always}
                    scale={values}
                    label={`${variant}: ${formatNumber(always.low)} to ${formatNumber(always.high)}`}
                  />
                  <span class="small faint">
                    {formatNumber(always.value)} ({formatNumber(always.low)} to {formatNumber(always.high)})
                  </span>
                </div>
              ),
          },
        ]}
      />
    </Card>
  );
}

/** A description that more words follow: with its full stop, whether its author wrote one or not. */
function sentence(text: string): string {
  return /[\p{P}\s]$/u.test(text) ? text : `${text}.`;
}

/** A reward is never below 0, though an estimate's interval may reach there. */
function aboveZero(estimate: ValueEstimate | null): ValueEstimate | null {
  return estimate === null ? null : { ...estimate, low: Math.max(0, estimate.low) };
}

function Share({ arm }: { arm: SlotArm }) {
  return (
    <span class="share">
      <span class="track" aria-hidden="true">
        <span class="fill" style={{ width: `${arm.share * 100}%` }} />
      </span>
      <span class="number">{formatShare(arm.share)}</span>
    </span>
  );
}
