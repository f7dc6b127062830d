let last = 0;

/** Bytes of the process in memory; what they were before, while no file can be opened that says it: that throws (EMFILE). */
export function residentBytes(): number {
  try {
    last = process.memoryUsage.rss();
  } catch {
    // Too many open files end no node.
  }
  return last;
}
