// The keys of one project's log, kept in the vault under the segment's name.
import type { SegmentKeys } from "../log/seal.ts";
import type { Vault } from "./vault.ts";

export function segmentKeys(vault: Vault, project: string): SegmentKeys {
  const root = `log/${project}/`;
  const prefix = (base: number): string => `${root}${base}/`;
  return {
    find: (base, generation) => vault.find(prefix(base) + generation),
    make: (base, generation) => vault.make(prefix(base) + generation),
    newest(base) {
      const generations = vault.names().filter((name) => name.startsWith(prefix(base)));
      return Math.max(0, ...generations.map((name) => Number(name.slice(prefix(base).length))));
    },
    retire(current) {
      const kept = new Map(current.map(({ base, generation }) => [prefix(base), prefix(base) + generation]));
      const isOld = (name: string): boolean => {
        const keep = kept.get(name.slice(0, name.lastIndexOf("/") + 1));
        return keep !== undefined && keep !== name;
      };
      vault.destroy(vault.names().filter(isOld));
    },
    dropBefore(base) {
      const isOld = (name: string): boolean => name.startsWith(root) && Number(name.slice(root.length).split("/")[0]) < base;
      vault.destroy(vault.names().filter(isOld));
    },
  };
}
