// Standard output, as every command treats it.

/** Whoever read it has enough (`attune help | head`): the rest is for nobody, and no fault. Others stay faults. */
export function letReadersGo(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
