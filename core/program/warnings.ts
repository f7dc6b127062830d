// What a program may say and should not: it is taken, but whoever saves it should know.
import { bareNames } from "./bare-names.ts";
import { durationMs } from "./duration.ts";
import { RETENTION_AFTER, WINDOW } from "./experiments.ts";
import { at } from "./faults.ts";
import type { ExperimentDocument, FeatureDocument, ProgramDocument, ProgramFault } from "./program.ts";
import { unknownTypes } from "./unknown-types.ts";

/** Below it, a list may tell one visitor what another one did. */
const MIN_PERSONS_RECOMMENDED = 10;
/** Above it, one source's opinion can pass for the crowd's. */
const MAX_SHARE_RECOMMENDED = 0.2;

/** What the host does for every program alike. */
export interface WarnedHost {
  /** `kept`: it has no secret to sign with, and calls none. */
  readonly webhooks: "signed" | "unsigned" | "kept";
}

const UNSIGNED = {
  unsigned: "calls are not signed, and end with the node's first key, while it has no secret to sign with",
  kept: "nothing is called while the node has no secret to sign with",
} as const;

/** @param document - one without faults. */
export function programWarnings(document: unknown, { webhooks }: WarnedHost): ProgramFault[] {
  const { models, features = {}, triggers = {}, experiments = {}, slots = {} } = document as ProgramDocument;
  const { min_persons: least = 1, max_share: share = 1 } = models?.crowd ?? {};
  const warnings: ProgramFault[] = [];
  if (least < MIN_PERSONS_RECOMMENDED) {
    const others = least === 1 ? "one single person" : `${least} persons`;
    warnings.push({
      path: "/models/crowd/min_persons",
      code: "few_persons",
      message: `lists may show others what ${others} did: write at least ${MIN_PERSONS_RECOMMENDED} where visitors are real`,
    });
  }
  if (share > MAX_SHARE_RECOMMENDED) {
    warnings.push({
      path: "/models/crowd/max_share",
      code: "unbounded_share",
      message: `one person or address can move what is popular as far as ${Math.round(share * 100)} %: write ${MAX_SHARE_RECOMMENDED} or less`,
    });
  }
  if (webhooks !== "signed") {
    const paths = Object.entries(triggers).flatMap(([name, { webhook }]) => (webhook === undefined ? [] : [`/triggers/${name}/webhook`]));
    if (models?.alerts?.webhook !== undefined) paths.push("/models/alerts/webhook");
    const message = `${UNSIGNED[webhooks]}: set ATTUNE_WEBHOOK_SECRET and start it again`;
    for (const path of paths) warnings.push({ path, code: "webhook_unsigned", message });
  }
  for (const [name, feature] of Object.entries(features)) warnings.push(...textAsNumber(at("/features", name), feature));
  for (const [name, experiment] of Object.entries(experiments)) {
    const path = at("/experiments", name);
    warnings.push(...lateRetention(path, experiment), ...countedShowings(path, experiment), ...withoutChange(path, experiment));
    warnings.push(...unboundedRevenue(path, experiment));
  }
  for (const [name, { reward }] of Object.entries(slots)) {
    if (reward?.events["impression"] !== undefined) warnings.push(showing(`${at("/slots", name)}/reward/events/impression`));
  }
  return [...warnings, ...bareNames(document as ProgramDocument), ...unknownTypes(document as ProgramDocument)];
}

/** What is text in every event cannot be added up: the feature is 0 for everybody, for ever. */
function textAsNumber(path: string, { kind, of = "value" }: FeatureDocument): ProgramFault[] {
  if (kind === "count" || kind === "distinct" || kind === "last") return [];
  if (of === "value" || of === "item.price" || of.startsWith("additional_data.")) return [];
  const message = `it stays 0: \`${of}\` is text, and ${kind} is of numbers; write kind distinct, last or count`;
  return [{ path: at(path, "of"), code: "not_a_number", message }];
}

/** A retention that begins when the window is over is 0 for everybody, for ever. */
function lateRetention(path: string, { metrics, window = WINDOW }: ExperimentDocument): ProgramFault[] {
  return Object.entries(metrics).flatMap(([name, { kind, after = RETENTION_AFTER }]) => {
    if (kind !== "retention" || durationMs(after)! < durationMs(window)!) return [];
    const message = `nobody counts as back: events count for ${window} after the exposure, and this begins at ${after}; write a longer \`window\``;
    return [{ path: at(at(at(path, "metrics"), name), "after"), code: "after_window", message }];
  });
}

const showing = (path: string): ProgramFault => ({
  path,
  code: "not_counted",
  message: "an `impression` says that something was shown, and counts as nothing that came of it: name another event type",
});

function countedShowings(path: string, { metrics }: ExperimentDocument): ProgramFault[] {
  return Object.entries(metrics).flatMap(([name, { event = [] }]) =>
    [event].flat().includes("impression") ? [showing(at(at(at(path, "metrics"), name), "event"))] : [],
  );
}

/** Who is in an experiment is decided where one of its variants changes what is asked for. */
function withoutChange(path: string, { variants }: ExperimentDocument): ProgramFault[] {
  if (variants === undefined) return [];
  const isChange = (change: object = {}): boolean => Object.keys(change).length > 0;
  if (Object.values(variants).some(({ slots, placements }) => isChange(slots) || isChange(placements))) return [];
  const message =
    "nobody takes part: no variant names a slot or a placement; to compare without a change, let one name a placement by itself";
  return [{ path: at(path, "variants"), code: "no_change", message }];
}

/** Whoever may send a purchase may say any amount, and one that is far off makes every interval as wide. */
function unboundedRevenue(path: string, { metrics }: ExperimentDocument): ProgramFault[] {
  return Object.entries(metrics).flatMap(([name, { kind, max }]) => {
    if (kind !== "revenue" || max !== undefined) return [];
    const message = "one purchase of any amount decides: write a `max`, what few people ever spend";
    return [{ path: at(at(at(path, "metrics"), name), "max"), code: "unbounded_revenue", message }];
  });
}
