// What a list shows when it has nothing to show: loading, empty, failed. Each says what to do.
import type { ComponentChildren } from "preact";
import { ApiProblem } from "../api/client.ts";
import { Icon, type IconName } from "./icon.tsx";
import { Words } from "./words.tsx";

export function Loading({ rows = 4, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div class="skeletons" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class="skeleton" style={{ width: `${92 - ((index * 23) % 48)}%` }} />
      ))}
    </div>
  );
}

export function Empty({
  icon = "items",
  title,
  children,
  action,
}: {
  icon?: IconName;
  title: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class="state">
      <Icon name={icon} size={24} />
      <strong>{title}</strong>
      {children ? <p>{children}</p> : null}
      {action ? <div class="row">{action}</div> : null}
    </div>
  );
}

const UNKNOWN_PROJECT = "unknown_project";

export function Failed({ error, onRetry, what }: { error: unknown; onRetry?: () => void; what: string }) {
  // The same key is refused again, and the project is missing again.
  const mayHelp = !(error instanceof ApiProblem && (error.status === 403 || error.code === UNKNOWN_PROJECT));
  return (
    <div class="state bad" role="alert">
      <Icon name="warning" size={24} />
      <strong>{what} could not be read</strong>
      <p>
        <Words text={adviceOn(error)} />
      </p>
      {onRetry && mayHelp ? (
        <div class="row">
          <button type="button" class="btn" onClick={onRetry}>
            <Icon name="retry" /> Try again
          </button>
        </div>
      ) : null}
    </div>
  );
}

/** What happened and what to do next, in a sentence or two. */
export function adviceOn(error: unknown): string {
  if (!(error instanceof ApiProblem)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0)
    return "The node does not answer. Check that it is running; the console goes on by itself when it is back.";
  if (error.status === 401) return "You are no longer logged in. Load the page again to log in.";
  if (error.status === 403) return "Your key does not allow this. Log in with one of a higher role.";
  if (error.status === 429 || error.status === 503) return `${error.message} It is retried in a moment.`;
  if (error.code === UNKNOWN_PROJECT) return `${error.message} Choose one at the top.`;
  return error.message;
}
