// What every view needs: the project's API, addresses within the project, a word to the reader.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../api/client.ts";
import { personPath } from "../api/client.ts";
import type { PersonRef } from "../api/types.ts";
import { routeHash } from "./route.ts";

export interface Links {
  readonly view: (path: readonly string[], query?: Record<string, string>) => string;
  readonly person: (ref: PersonRef) => string;
  readonly item: (itemId: string) => string;
  readonly segment: (name: string) => string;
  readonly experiment: (name: string) => string;
  /** The program where a part of it is, `["segments", "buyers"]`, to be changed there. */
  readonly program: (part?: readonly string[]) => string;
}

export interface Console {
  readonly api: Api;
  readonly links: Links;
  /** Says in a corner what came of an action; a bad outcome stays longer. */
  readonly notify: (text: string, tone?: "bad") => void;
}

export const ConsoleContext = createContext<Console | undefined>(undefined);

export function useConsole(): Console {
  const value = useContext(ConsoleContext);
  if (value === undefined) throw new Error("a view is rendered outside of the shell");
  return value;
}

export function linksOf(project: string): Links {
  const view: Links["view"] = (path, query) => routeHash(project, path, query);
  return {
    view,
    person: (ref) => view(["people", ...personPath(ref)]),
    item: (itemId) => view(["items", itemId]),
    segment: (name) => view(["segments", name]),
    experiment: (name) => view(["experiments", name]),
    program: (part = []) => view(["program"], { at: part.map((name) => `/${name}`).join("") }),
  };
}
