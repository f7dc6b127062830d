// How many connections the process may hold. Each is an open file, and so is what log, state, keys and audit trail open:
// a log that cannot open a segment has failed until the restart.

/** Files that the process may have open where nothing has to be cut. A third is the node's own. */
const ENOUGH = 30_000;

/** As many connections as are wanted, or of them the share that leaves the node files of its own. */
export function connectionsWithin(wanted: number, filesMax = openFilesMax()): number {
  return Math.max(1, Math.floor(wanted * Math.min(1, filesMax / ENOUGH)));
}

/** Node has set it as high as it may (the hard limit). */
function openFilesMax(): number {
  Object.assign(process.report, { excludeNetwork: true }); // it would look up names
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files: { soft: number | "unlimited" } } };
  const limit = userLimits?.open_files.soft;
  return typeof limit === "number" ? limit : Infinity;
}
