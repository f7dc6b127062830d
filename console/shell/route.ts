// Where the reader is: `#/PROJECT/VIEW/…?filter=…`. The hash keeps the console a folder of static files on any server,
// and the project is part of the address, so a link that is sent to a colleague opens what was seen.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  readonly project: string;
  /** Decoded segments after the project; the first names the view. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const PROJECT_DEFAULT = "default";

/** Reads a location's hash; anything unreadable is the overview of the default project. */
function parseRoute(hash: string): Route {
  const [pathText = "", queryText = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [project, ...path] = pathText
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  return {
    project: project ?? PROJECT_DEFAULT,
    path: path.length === 0 ? ["overview"] : path,
    query: new URLSearchParams(queryText),
  };
}

/** The hash of a view: the address that a link carries. */
export function routeHash(project: string, path: readonly string[], query: Record<string, string> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/${[project, ...path].map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

function currentRoute(): Route {
  return parseRoute(location.hash);
}

/** Goes to a view. `replace` keeps the back button for places, not for every letter of a filter. */
export function go(hash: string, options: { replace?: boolean } = {}): void {
  if (options.replace !== true) {
    location.hash = hash;
    return;
  }
  history.replaceState(history.state, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const changed = (): void => setRoute(currentRoute());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
