// Who listens to what. A listener that throws is the page's error, never the SDK's.
import type { Listeners } from "./types.ts";

export interface ListenerSet {
  /** Whether anybody ever listened to this. */
  isKnown(name: keyof Listeners): boolean;
  on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): () => void;
  emit<Name extends keyof Listeners>(name: Name, value: Parameters<Listeners[Name]>[0]): void;
}

export function createListeners(): ListenerSet {
  const all: { [Name in keyof Listeners]?: Set<(value: never) => void> } = {};
  return {
    isKnown: (name) => name in all,
    on(name, listener) {
      const set = (all[name] ??= new Set());
      set.add(listener);
      return () => set.delete(listener);
    },
    emit(name, value) {
      for (const listener of [...(all[name] ?? [])]) {
        try {
          (listener as (value: unknown) => void)(value);
        } catch (error) {
          reportError(error);
        }
      }
    },
  };
}
