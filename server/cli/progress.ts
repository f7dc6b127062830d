// A progress bar on a terminal; nothing where standard error is a file or a pipe.

const WIDTH = 30;
const EVERY_MS = 200;

export interface Progress {
  /** @param share - 0–1; undefined where the total is not known. */
  update(share: number | undefined, text: string): void;
  done(): void;
}

export function progressBar(label: string): Progress {
  const isTerminal = process.stderr.isTTY === true;
  let shownAt = -Infinity;
  return {
    update(share, text) {
      if (!isTerminal || performance.now() - shownAt < EVERY_MS) return;
      shownAt = performance.now();
      const filled = Math.round(Math.min(1, share ?? 0) * WIDTH);
      const bar =
        share === undefined ? "" : ` ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${Math.floor(share * 100)} %`;
      process.stderr.write(`\r\u001b[K${label}${bar} ${text}`);
    },
    done() {
      if (isTerminal) process.stderr.write("\r\u001b[K");
    },
  };
}
