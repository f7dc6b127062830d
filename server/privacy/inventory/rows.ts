// One row of the inventory: what a stored field is, what for, how long, who is shown it, and whether the disk shows it.
import type { RetentionKind } from "../retention.ts";

/**
 * `identifier` names a person or a device · `personal` was said of a person · `behaviour` is what he did · `inference` was
 * concluded about him · `content` is the site's own · `statistics` is of many, of nobody in particular · `technical` is of
 * the machine's making · `secret` opens something.
 */
export type FieldClass =
  | "identifier"
  | "personal"
  | "behaviour"
  | "inference"
  | "content"
  | "statistics"
  | "technical"
  | "secret";

/** How long: a setting of retention, or why none is needed. */
export type Keeping = RetentionKind | "site" | "session" | "window" | "key";

export interface FieldRow {
  readonly class: FieldClass;
  readonly purpose: string;
  readonly retention: Keeping;
  /** Shown to the person who asks what is held on him: as it is, or as what it is made of. */
  readonly in_export: boolean;
  /** `true`: closed with a key of the vault (where encryption is on) · `hashed`: only a hash is kept. */
  readonly encrypted: boolean | "hashed";
}

export interface InventoryKind {
  readonly kind: string;
  readonly title: string;
  /** Where on the disk. */
  readonly where: string;
  readonly fields: Readonly<Record<string, FieldRow>>;
}

type Defaults = Pick<FieldRow, "retention" | "in_export" | "encrypted">;

/** Makes rows of one kind: class and purpose, the rest as its kind has it unless it is said. */
export function rowsOf(defaults: Defaults) {
  return (of: FieldClass, purpose: string, other: Partial<Defaults> = {}): FieldRow => ({
    class: of,
    purpose,
    ...defaults,
    ...other,
  });
}
