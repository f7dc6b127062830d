// Rows of growing size in pages of flat arrays: 32-bit references and, beside them, 32-bit float weights. Most rows stay
// small (research/relevance.md: rows should grow 8 → 64), so a row moves to the next size class only when it is full.
// Pages, not two long arrays: those stop everything for 20 ms and need their size twice when they grow (measured:
// docs/decisions/models.md). No row spans two pages.

const PAGE_BITS = 18; // 1 MB of references.
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SIZE - 1;

export interface RowArena {
  /** The page of a row: good until the row is given room or cleared. */
  idsOf(row: number): Int32Array;
  /** Parallel to `idsOf`; empty where the rows have no weights. */
  weightsOf(row: number): Float32Array;
  /** Where the row begins in its page. */
  offsetOf(row: number): number;
  lengthOf(row: number): number;
  setLength(row: number, length: number): void;
  /** Room for one more entry, growing the row; false when it is at its largest size. */
  makeRoom(row: number): boolean;
  /** Gives the row's space back. */
  clear(row: number): void;
  readonly sizeBytes: number;
}

export function createRowArena(options: { classes: readonly number[]; weighted: boolean }): RowArena {
  const { classes, weighted } = options;
  let offsets = new Int32Array(1024);
  let lengths = new Uint16Array(1024);
  let classOf = new Uint8Array(1024); // 0: no space; n: classes[n - 1].
  let end = 0;
  const pages: Int32Array[] = [];
  const weightPages: Float32Array[] = [];
  const noWeights = new Float32Array(0);
  const addPage = (): void => {
    pages.push(new Int32Array(PAGE_SIZE));
    weightPages.push(weighted ? new Float32Array(PAGE_SIZE) : noWeights);
  };
  addPage();
  const freed: number[][] = classes.map(() => []);

  const reserveRow = (row: number): void => {
    if (row < offsets.length) return;
    const size = Math.max(row + 1, offsets.length * 2);
    const grow = <T extends Int32Array | Uint16Array | Uint8Array>(from: T, to: T): T => (to.set(from), to);
    offsets = grow(offsets, new Int32Array(size));
    lengths = grow(lengths, new Uint16Array(size));
    classOf = grow(classOf, new Uint8Array(size));
  };

  const allocate = (sizeClass: number): number => {
    const back = freed[sizeClass - 1]!.pop();
    if (back !== undefined) return back;
    const size = classes[sizeClass - 1]!;
    if ((end & PAGE_MASK) + size > PAGE_SIZE) end = pages.length * PAGE_SIZE;
    const offset = end;
    end += size;
    if (offset >>> PAGE_BITS === pages.length) addPage();
    return offset;
  };

  const arena: RowArena = {
    idsOf: (row) => pages[offsets[row]! >>> PAGE_BITS]!,
    weightsOf: (row) => weightPages[offsets[row]! >>> PAGE_BITS]!,
    offsetOf: (row) => offsets[row]! & PAGE_MASK,
    lengthOf: (row) => (row < lengths.length ? lengths[row]! : 0),
    setLength(row, length) {
      lengths[row] = length;
    },
    makeRoom(row) {
      reserveRow(row);
      const sizeClass = classOf[row]!;
      const length = lengths[row]!;
      if (sizeClass > 0 && length < classes[sizeClass - 1]!) return true;
      if (sizeClass === classes.length) return false;
      const offset = allocate(sizeClass + 1);
      if (sizeClass > 0) {
        const from = offsets[row]!;
        copyRow(pages, from, offset, length);
        if (weighted) copyRow(weightPages, from, offset, length);
        freed[sizeClass - 1]!.push(from);
      }
      offsets[row] = offset;
      classOf[row] = sizeClass + 1;
      return true;
    },
    clear(row) {
      if (row >= classOf.length || classOf[row] === 0) return;
      freed[classOf[row]! - 1]!.push(offsets[row]!);
      classOf[row] = 0;
      lengths[row] = 0;
    },
    get sizeBytes() {
      return pages.length * PAGE_SIZE * (weighted ? 8 : 4) + offsets.length * 7;
    },
  };
  return arena;
}

function copyRow(pages: readonly (Int32Array | Float32Array)[], from: number, to: number, length: number): void {
  const source = pages[from >>> PAGE_BITS]!;
  const target = pages[to >>> PAGE_BITS]!;
  for (let i = 0; i < length; i++) target[(to & PAGE_MASK) + i] = source[(from & PAGE_MASK) + i]!;
}
