// The keys of what is derived from one project's log: one for each folder, so that a folder that is replaced takes its key
// with it and no copy of it opens any more.
import type { KeyObject } from "node:crypto";
import type { Vault } from "./vault.ts";

export interface StateKeys {
  /** The folder's key; undefined for one that was written open, or whose key was destroyed. */
  find(folder: string): KeyObject | undefined;
  /** The folder's key, made where there is none. */
  obtain(folder: string): KeyObject;
  /** Destroys the keys of the folders that `isGone` names. */
  destroy(isGone: (folder: string) => boolean): void;
}

export function stateKeys(vault: Vault, project: string): StateKeys {
  const prefix = `state/${project}/`;
  return {
    find: (folder) => vault.find(prefix + folder),
    obtain: (folder) => vault.obtain(prefix + folder),
    destroy(isGone) {
      const gone = vault.names().filter((name) => name.startsWith(prefix) && isGone(name.slice(prefix.length)));
      vault.destroy(gone);
    },
  };
}
