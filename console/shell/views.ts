// The console's views, in the order of the sidebar.
import type { IconName } from "../parts/icon.tsx";

export interface ViewEntry {
  readonly path: string;
  readonly title: string;
  readonly icon: IconName;
}

export const VIEWS: readonly ViewEntry[] = [
  { path: "overview", title: "Overview", icon: "overview" },
  { path: "events", title: "Live events", icon: "events" },
  { path: "people", title: "People", icon: "person" },
  { path: "segments", title: "Segments", icon: "segments" },
  { path: "slots", title: "Slots", icon: "slots" },
  { path: "merchandising", title: "Merchandising", icon: "merchandising" },
  { path: "models", title: "Models", icon: "models" },
  { path: "experiments", title: "Experiments", icon: "experiments" },
  { path: "items", title: "Items", icon: "items" },
  { path: "program", title: "Program", icon: "program" },
  { path: "keys", title: "Keys", icon: "key" },
  { path: "privacy", title: "Privacy", icon: "privacy" },
  { path: "audit", title: "Audit", icon: "audit" },
  { path: "dead-letters", title: "Dead letters", icon: "dead" },
];
