// Standard output, as every command treats it.

/**
 * Whoever read it has enough (`attune help | head`): the rest is for nobody, and no fault. What cannot be written for another
 * reason (a full disk) ends the command, so that nobody takes half an export for the whole.
 */
export function letReadersGo(): void {
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") return;
    process.stderr.write(`attune: standard output cannot be written to, so what is there is not whole: ${message}\n`);
    process.exit(1);
  });
}
