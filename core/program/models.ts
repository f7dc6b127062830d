// `models` and `learning`: bounds and half-lives of the online models. What is not written takes the models' own defaults.
import { LEAST_MAX } from "../model/sketches.ts";
import { at, type Faults, type JsonObject, type NumberRange } from "./faults.ts";
import type { LearningDocument, ModelsDocument, ProgramDocument } from "./program.ts";

type Setting = "duration" | "boolean" | "url" | "attributes" | NumberRange;

/** Attributes whose values make crowds. */
const CROWD_ATTRIBUTES_MAX = 8;

const ROW: NumberRange = { min: 1, max: 1_000, whole: true };

/** What each model can be told. */
const MODEL_SETTINGS: Readonly<Record<string, Readonly<Record<string, Setting>>>> = {
  popularity: { half_life: "duration", enabled: "boolean" },
  context: { enabled: "boolean", attributes: "attributes" },
  rules: { half_life: "duration", row_max: ROW, enabled: "boolean" },
  cosine: { half_life: "duration", row_max: ROW, enabled: "boolean" },
  knn: {
    half_life: "duration",
    session_ttl: "duration",
    neighbours: { min: 1, max: 2_000, whole: true },
    sessions_per_item: { min: 1, max: 5_000, whole: true },
    enabled: "boolean",
  },
  repeats: { enabled: "boolean" },
  content: { enabled: "boolean" },
  trend: { enabled: "boolean" },
  steady: { enabled: "boolean" },
  next: { enabled: "boolean" },
  recent: { enabled: "boolean" },
  factors: { enabled: "boolean" },
  walk: { enabled: "boolean" },
  daypart: { enabled: "boolean" },
  background: { enabled: "boolean", every: "duration", ridge: { min: 1, max: 100_000 } },
  alerts: { webhook: "url" },
  crowd: {
    min_persons: { min: 1, max: LEAST_MAX, whole: true },
    max_share: { min: 0.001, max: 1 },
    young: "duration",
    young_weight: { min: 0, max: 1 },
  },
};

const SWITCHES: Readonly<Record<string, Setting>> = { catalogue_only: "boolean", item_ttl: "duration" };

export function readModels(program: JsonObject, faults: Faults): ModelsDocument | undefined {
  faults.boolean(program["catalogue_only"], "/catalogue_only");
  const part = program["models"];
  if (part === undefined) return modelsOf(program);
  const document = faults.object(part, "/models", [...Object.keys(MODEL_SETTINGS), ...Object.keys(SWITCHES)]);
  for (const [key, value] of Object.entries(document ?? {})) {
    const path = at("/models", key);
    if (Object.hasOwn(SWITCHES, key)) readSetting(value, path, SWITCHES[key]!, faults);
    else if (Object.hasOwn(MODEL_SETTINGS, key)) {
      const settings = MODEL_SETTINGS[key]!;
      const model = faults.object(value, path, Object.keys(settings));
      for (const [name, setting] of Object.entries(settings))
        readSetting(model?.[name], at(path, name), setting, faults);
    }
  }
  return modelsOf(program);
}

/** The models' settings of a document: `catalogue_only` may stand under `models` or beside it. */
export function modelsOf({ models, catalogue_only }: ProgramDocument): ModelsDocument | undefined {
  return catalogue_only === undefined ? models : { catalogue_only, ...models };
}

export function readLearning(part: unknown, faults: Faults): LearningDocument | undefined {
  if (part === undefined) return undefined;
  const document = faults.object(part, "/learning", ["share", "max_per_second"]);
  faults.number(document?.["share"], "/learning/share", { min: 0, max: 1 });
  faults.number(document?.["max_per_second"], "/learning/max_per_second", { min: 0, max: 1_000_000 });
  return part as LearningDocument;
}

function readSetting(value: unknown, path: string, setting: Setting, faults: Faults): void {
  if (setting === "url") readUrl(value, path, faults);
  else if (setting === "duration") faults.duration(value, path);
  else if (setting === "boolean") faults.boolean(value, path);
  else if (setting === "attributes") readAttributeNames(value, path, faults);
  else faults.number(value, path, setting);
}

function readAttributeNames(value: unknown, path: string, faults: Faults): void {
  const seen = new Set<unknown>();
  faults.array(value, path, CROWD_ATTRIBUTES_MAX)?.forEach((name, i) => {
    const text = faults.string(name, at(path, i), 64);
    if (text === undefined) return;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(text)) {
      faults.add(at(path, i), "bad_name", "an attribute's name has 1 to 64 letters, digits and underscores");
    } else if (seen.has(text)) {
      faults.add(at(path, i), "duplicate", `\`${text}\` is there already: leave it out`);
    }
    seen.add(text);
  });
}

const URL_FORM = /^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/;

function readUrl(value: unknown, path: string, faults: Faults): void {
  const url = faults.string(value, path, 2_048);
  if (url === undefined || URL_FORM.test(url)) return;
  faults.add(path, "bad_url", "this must be a URL that begins with https:// or http:// and has no user name in it");
}
