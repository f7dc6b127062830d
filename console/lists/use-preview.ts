// A preview that follows what is asked: after a pause in the changes, the last good answer kept while the next is made,
// and asked for again when what stood in its way passes.
import { useEffect, useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import type { ProgramFault } from "../api/types.ts";
import { AGAIN_MS, isPassing } from "../api/use-read.ts";
import { useConsole } from "../shell/context.ts";
import type { Preview, PreviewRequest } from "./preview-types.ts";

const PAUSE_MS = 250;

export interface PreviewReading {
  readonly preview: Preview | undefined;
  readonly faults: readonly ProgramFault[];
  /** A failure that is no fault of the draft. */
  readonly error: unknown;
  /** The answer is to an earlier question. */
  readonly isBehind: boolean;
  readonly reload: () => void;
}

export function usePreview(request: PreviewRequest | undefined): PreviewReading {
  const { api } = useConsole();
  const text = request === undefined ? undefined : JSON.stringify(request);
  const [attempt, setAttempt] = useState(0);
  const [found, setFound] = useState<{ text: string; preview?: Preview; error?: unknown }>({ text: "" });
  useEffect(() => {
    if (text === undefined) return undefined;
    let isOver = false;
    const timer = setTimeout(() => {
      api.preview(text).then(
        (preview) => isOver || setFound({ text, preview }),
        (error: unknown) => isOver || setFound((before) => ({ ...before, text, error })),
      );
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [api, text, attempt]);
  const { error } = found;
  useEffect(() => {
    if (!isPassing(error)) return undefined;
    const timer = setTimeout(() => setAttempt((count) => count + 1), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [found]);
  const faults = error instanceof ApiProblem ? error.faults : [];
  return {
    preview: found.preview,
    faults,
    error: faults.length > 0 ? undefined : error,
    isBehind: found.text !== text,
    reload: () => setAttempt((count) => count + 1),
  };
}
