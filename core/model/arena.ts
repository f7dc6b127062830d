// Rows of growing size in two flat arrays: 32-bit references and, beside them, 32-bit float weights. Most rows stay
// small (research/relevance.md: rows should grow 8 → 64), so a row moves to the next size class only when it is full.

export interface RowArena {
  ids: Int32Array;
  /** Empty where the rows have no weights. */
  weights: Float32Array;
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
    const offset = end;
    end += classes[sizeClass - 1]!;
    if (end > arena.ids.length) {
      const size = Math.max(end, arena.ids.length + (arena.ids.length >> 1));
      const ids = new Int32Array(size);
      ids.set(arena.ids);
      arena.ids = ids;
      if (weighted) {
        const weights = new Float32Array(size);
        weights.set(arena.weights);
        arena.weights = weights;
      }
    }
    return offset;
  };

  const arena: RowArena = {
    ids: new Int32Array(4096),
    weights: new Float32Array(weighted ? 4096 : 0),
    offsetOf: (row) => offsets[row]!,
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
        arena.ids.copyWithin(offset, from, from + length);
        if (weighted) arena.weights.copyWithin(offset, from, from + length);
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
      return arena.ids.byteLength + arena.weights.byteLength + offsets.length * 7;
    },
  };
  return arena;
}
