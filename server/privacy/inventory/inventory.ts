// The inventory: every field that is stored, of everything. Served by the API, shown by the console, part of the dictionary
// of each export, and a page of the documentation.
import { ageText, RETENTION_KINDS, type RetentionPolicy } from "../retention.ts";
import { LOG_INVENTORY } from "./log.ts";
import type { FieldRow, InventoryKind, Keeping } from "./rows.ts";
import { STATE_INVENTORY } from "./state.ts";

export const INVENTORY: readonly InventoryKind[] = [...LOG_INVENTORY, ...STATE_INVENTORY];

/** Kinds of data that are kept otherwise than by an age. */
const OTHER_KEEPING: Readonly<Record<Exclude<Keeping, keyof RetentionPolicy>, string>> = {
  site: "as long as the site keeps it",
  session: "some hours after the visit",
  window: "until its window is over",
  key: "until it is revoked and removed",
};

const KINDS_IN_WORDS: Readonly<Record<keyof RetentionPolicy, string>> = {
  events: "events, attributes and consent as they were received",
  decisions: "what was shown to whom",
  profiles: "what is known of a person, since they were last seen",
  visitors: "the same of a visitor who never said who they are and never returned",
  dead_letters: "refused events",
  audit: "entries of the audit trail",
  erasures: "keyed hashes of persons who were erased, with the proof",
};

/** How long a field is kept under a policy, in words. */
export function keepingText(keeping: Keeping, policy: RetentionPolicy): string {
  return keeping in policy ? ageText(policy[keeping as keyof RetentionPolicy]) : OTHER_KEEPING[keeping as keyof typeof OTHER_KEEPING];
}

/** Each setting of retention with what it is about. */
export function policyRows(policy: RetentionPolicy): { kind: keyof RetentionPolicy; age: string; about: string }[] {
  return RETENTION_KINDS.map((kind) => ({ kind, age: ageText(policy[kind]), about: KINDS_IN_WORDS[kind] }));
}

/** What the first line of an export says of the fields in it. */
export function exportedFields(): Record<string, Record<string, Pick<FieldRow, "class" | "purpose" | "retention">>> {
  const kinds = INVENTORY.map(({ kind, fields }): [string, Record<string, Pick<FieldRow, "class" | "purpose" | "retention">>] => {
    const shown = Object.entries(fields).filter(([, row]) => row.in_export);
    return [kind, Object.fromEntries(shown.map(([field, { class: of, purpose, retention }]) => [field, { class: of, purpose, retention }]))];
  });
  return Object.fromEntries(kinds.filter(([, fields]) => Object.keys(fields).length > 0));
}

/** The page of the documentation, as Markdown. */
export function inventoryPage(policy: RetentionPolicy): string {
  const yes = (value: boolean | string): string => (value === true ? "yes" : value === false ? "no" : value);
  const table = ({ kind, title, where, fields }: InventoryKind): string => {
    const rows = Object.entries(fields).map(
      ([field, row]) =>
        `| \`${field}\` | ${row.class} | ${row.purpose} | ${keepingText(row.retention, policy)} | ${yes(row.in_export)} | ${yes(row.encrypted)} |`,
    );
    const head = "| field | class | purpose | kept | in export | encrypted |\n| --- | --- | --- | --- | --- | --- |";
    return `## ${title} (\`${kind}\`)\n\nWhere: ${where}\n\n${head}\n${rows.join("\n")}\n`;
  };
  const ages = policyRows(policy).map(({ kind, age, about }) => `| \`${kind}\` | ${about} | ${age} |`);
  return (
    "# Inventory of stored data\n\n" +
    "Every field that attune stores. Written by `node scripts/inventory.ts` from `server/privacy/inventory/`, where a field " +
    "without its row does not compile. Ages are the defaults; `retention` in `attune.config.ts` changes them, and " +
    "`GET /v1/privacy/inventory` answers with those in force. `encrypted` holds unless `ATTUNE_ENCRYPTION=off`.\n\n" +
    "## How long\n\n| setting | what | default |\n| --- | --- | --- |\n" +
    `${ages.join("\n")}\n\n${INVENTORY.map(table).join("\n")}`
  );
}
