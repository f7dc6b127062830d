// Backfill.
import type { ClusterSettings } from "./settings.ts";

export async function backfill(_settings: ClusterSettings, _report: (line: string) => void): Promise<void> {}
