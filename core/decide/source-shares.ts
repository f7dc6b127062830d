// How much of what a slot has learnt, and of the persons of an experiment's run, came from each sender's address: none holds
// more than its share. Counted only where the program bounds shares (`models.crowd.max_share`).
import { DirtyRows, type WholeTable } from "../wire/dirty-rows.ts";
import { ByteReader } from "../wire/reader.ts";
import { rowTable } from "../wire/row-table.ts";
import { ByteWriter } from "../wire/writer.ts";

/**
 * Senders kept of each. One more lowers all by one (Misra and Gries 1982), so whoever holds a hundredth is known to a tenth of
 * that.
 */
const SOURCES_MAX = 1_000;
const VERSION = 1;

interface Shares {
  /** Of all, those without an address among them. */
  all: number;
  /** There was no room for. */
  leftOut: number;
  readonly bySource: Map<string, number>;
}

export class SourceShares {
  readonly table: WholeTable<string>;
  readonly #shares = new Map<string, Shares>();
  readonly #dirty = new DirtyRows<string>((name) => {
    const shares = this.#shares.get(name);
    return shares === undefined ? null : encodeShares(shares);
  });

  constructor() {
    this.table = rowTable("shares", {
      rows: this.#dirty,
      load: (name, bytes) => this.#shares.set(name, decodeShares(bytes)),
      keys: () => this.#shares.keys(),
    });
  }

  /** Each row's bytes, by name. */
  *rows(): Generator<[name: string, bytes: Uint8Array]> {
    for (const [name, shares] of this.#shares) yield [name, encodeShares(shares)];
  }

  /**
   * Counts one more of `name` from `source`, and says whether there was room: for the first always, then up to `maxShare` of all.
   * What has no address is the site's own and has no bound.
   */
  take(name: string, source: string | undefined, maxShare: number): boolean {
    if (maxShare >= 1) return true;
    const shares = this.#shares.get(name) ?? { all: 0, leftOut: 0, bySource: new Map<string, number>() };
    const held = source === undefined ? 0 : (shares.bySource.get(source) ?? 0);
    this.#dirty.touch(name);
    this.#shares.set(name, shares);
    if (held > 0 && held + 1 > maxShare * (shares.all + 1)) {
      shares.leftOut++;
      return false;
    }
    shares.all++;
    if (source !== undefined) shares.bySource.set(source, held + 1);
    if (shares.bySource.size > SOURCES_MAX) lower(shares.bySource);
    return true;
  }

  /** How often there was no room. */
  leftOut(name: string): number {
    return this.#shares.get(name)?.leftOut ?? 0;
  }

  /** Forgets what is not kept any more. */
  keep(isKept: (name: string) => boolean): void {
    for (const name of [...this.#shares.keys()]) {
      if (isKept(name)) continue;
      this.#dirty.touch(name);
      this.#shares.delete(name);
    }
  }
}

function lower(bySource: Map<string, number>): void {
  for (const [source, held] of bySource) {
    if (held > 1) bySource.set(source, held - 1);
    else bySource.delete(source);
  }
}

function encodeShares({ all, leftOut, bySource }: Shares): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  writer.varint(all);
  writer.varint(leftOut);
  for (const [source, held] of bySource) {
    writer.string(source);
    writer.varint(held);
  }
  return writer.take();
}

function decodeShares(bytes: Uint8Array): Shares {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) throw reader.corrupt("shares of another version");
  const shares: Shares = { all: reader.varint(), leftOut: reader.varint(), bySource: new Map() };
  while (reader.left > 0) shares.bySource.set(reader.string(), reader.varint());
  return shares;
}
