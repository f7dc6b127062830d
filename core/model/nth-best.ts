// The n-th largest of some numbers, without putting them in order (Hoare's quickselect).

let scratch = new Float64Array(1024);

/** The `n`-th largest of the first `count` values, 1 ≤ n ≤ count; none is NaN. `values` stays as it is. O(count) typically. */
export function nthBest(values: Float64Array, count: number, n: number): number {
  if (scratch.length < count) scratch = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) scratch[i] = values[i]!;
  let from = 0;
  let to = count - 1;
  while (from < to) {
    const pivot = scratch[(from + to) >> 1]!;
    let i = from;
    let j = to;
    while (i <= j) {
      while (scratch[i]! > pivot) i++;
      while (scratch[j]! < pivot) j--;
      if (i > j) break;
      const held = scratch[i]!;
      scratch[i++] = scratch[j]!;
      scratch[j--] = held;
    }
    if (n - 1 <= j) to = j;
    else if (n - 1 >= i) from = i;
    else break;
  }
  return scratch[n - 1]!;
}
