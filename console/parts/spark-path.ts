// The line of a sparkline, from zero up: a fall by one of a hundred must not look like a fall to nothing.

/** Half of the stroke, and a pixel: the line is whole at the top and at the bottom. */
const EDGE_PX = 2;

/** The path through `values`, oldest first, over `width` by `height` pixels; the bottom is 0, the top the largest of them. */
export function sparkPath(values: readonly number[], { width, height }: { width: number; height: number }): string {
  const top = Math.max(...values);
  const at = (value: number, index: number): string => {
    const x = (index / (values.length - 1)) * width;
    const y = height - EDGE_PX - (top > 0 ? (value / top) * (height - 2 * EDGE_PX) : 0);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  return values.map((value, index) => `${index === 0 ? "M" : "L"}${at(value, index)}`).join("");
}
