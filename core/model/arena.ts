// Rows of growing size in pages of flat arrays: 32-bit references and, beside them, 32-bit float weights. Most rows stay
// small, so a row moves to the next size class only when it is full.
// Pages, not two long arrays: those stop everything for 20 ms and need their size twice when they grow (measured:
// docs/decisions/models.md). A page holds rows of one size class, and a row's weights stand right behind its references: an
// event touches some twenty rows, few of them in the processor's cache, and each costs two or three lines of it.

const PAGE_BITS = 18; // 1 MB.
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SIZE - 1;

/** Of a row's header: where it begins; its length and, from CLASS_SHIFT on, 1 + its size class; its owner's number. */
const HEADER = 4;
const LENGTH = 1;
const TAG = 2;
const CLASS_SHIFT = 16;
const LENGTH_MASK = (1 << CLASS_SHIFT) - 1;

export interface RowArena {
  /** The page of a row: good until the row is given room or cleared. */
  idsOf(row: number): Int32Array;
  /** Weights at the indices of `idsOf`; empty where the rows have no weights. */
  weightsOf(row: number): Float32Array;
  /** Where the row begins in its page. */
  offsetOf(row: number): number;
  lengthOf(row: number): number;
  setLength(row: number, length: number): void;
  /** A 32-bit number beside the row that is its owner's; it outlives `clear`. */
  tagOf(row: number): number;
  setTag(row: number, tag: number): void;
  /** Room for one more entry, growing the row; false when it is at its largest size. */
  makeRoom(row: number): boolean;
  /** Gives the row's space back. */
  clear(row: number): void;
  readonly sizeBytes: number;
}

export function createRowArena(options: { classes: readonly number[]; weighted: boolean }): RowArena {
  const { classes, weighted } = options;
  let headers = new Int32Array(1024 * HEADER);
  const pages: Int32Array[] = [];
  const weightPages: Float32Array[] = [];
  const noWeights = new Float32Array(0);
  /** Of each class: where its next row begins, beyond its page's end where it has none, and rows that were given back. */
  const ends = classes.map(() => 0);
  const lasts = classes.map(() => 0);
  const freed: number[][] = classes.map(() => []);

  const addPage = (sizeClass: number): void => {
    const words = classes[sizeClass]! * (weighted ? 2 : 1);
    ends[sizeClass] = pages.length * PAGE_SIZE;
    lasts[sizeClass] = ends[sizeClass]! + PAGE_SIZE - words;
    const page = new Int32Array(PAGE_SIZE);
    pages.push(page);
    // Begins a row's size further on, so that an entry has one index for both.
    weightPages.push(weighted ? new Float32Array(page.buffer, classes[sizeClass]! * 4) : noWeights);
  };

  const reserveRow = (row: number): void => {
    if (row * HEADER < headers.length) return;
    const grown = new Int32Array(Math.max((row + 1) * HEADER, headers.length * 2));
    grown.set(headers);
    headers = grown;
  };

  const allocate = (sizeClass: number): number => {
    const back = freed[sizeClass]!.pop();
    if (back !== undefined) return back;
    if (lasts[sizeClass] === 0 || ends[sizeClass]! > lasts[sizeClass]!) addPage(sizeClass);
    const offset = ends[sizeClass]!;
    ends[sizeClass] = offset + classes[sizeClass]! * (weighted ? 2 : 1);
    return offset;
  };

  const pageOf = (row: number): number => headers[row * HEADER]! >>> PAGE_BITS;

  const arena: RowArena = {
    idsOf: (row) => pages[pageOf(row)] ?? noIds,
    weightsOf: (row) => weightPages[pageOf(row)] ?? noWeights,
    offsetOf: (row) => headers[row * HEADER]! & PAGE_MASK,
    lengthOf: (row) => (row * HEADER < headers.length ? headers[row * HEADER + LENGTH]! & LENGTH_MASK : 0),
    setLength(row, length) {
      headers[row * HEADER + LENGTH] = (headers[row * HEADER + LENGTH]! & ~LENGTH_MASK) | length;
    },
    tagOf: (row) => headers[row * HEADER + TAG]!,
    setTag(row, tag) {
      reserveRow(row);
      headers[row * HEADER + TAG] = tag;
    },
    makeRoom(row) {
      reserveRow(row);
      const header = row * HEADER;
      const sizeClass = headers[header + LENGTH]! >>> CLASS_SHIFT;
      const length = headers[header + LENGTH]! & LENGTH_MASK;
      if (sizeClass > 0 && length < classes[sizeClass - 1]!) return true;
      if (sizeClass === classes.length) return false;
      const from = headers[header]!;
      const to = allocate(sizeClass);
      if (sizeClass > 0) {
        copyRow(pages, from, to, length);
        if (weighted) copyRow(weightPages, from, to, length);
        freed[sizeClass - 1]!.push(from);
      }
      headers[header] = to;
      headers[header + LENGTH] = ((sizeClass + 1) << CLASS_SHIFT) | length;
      return true;
    },
    clear(row) {
      if (row * HEADER >= headers.length) return;
      const sizeClass = headers[row * HEADER + LENGTH]! >>> CLASS_SHIFT;
      if (sizeClass === 0) return;
      freed[sizeClass - 1]!.push(headers[row * HEADER]!);
      headers[row * HEADER + LENGTH] = 0;
    },
    get sizeBytes() {
      return pages.length * PAGE_SIZE * 4 + headers.length * 4;
    },
  };
  return arena;
}

const noIds = new Int32Array(0);

function copyRow(pages: readonly (Int32Array | Float32Array)[], from: number, to: number, length: number): void {
  const source = pages[from >>> PAGE_BITS]!;
  const target = pages[to >>> PAGE_BITS]!;
  for (let i = 0; i < length; i++) target[(to & PAGE_MASK) + i] = source[(from & PAGE_MASK) + i]!;
}
