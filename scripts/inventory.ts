// Writes docs/inventory.md: every field that is stored. `node scripts/inventory.ts`; a test fails where it was not run.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { inventoryPage } from "../server/privacy/inventory/inventory.ts";
import { DEFAULT_RETENTION } from "../server/privacy/retention.ts";

const path = resolve(import.meta.dirname, "..", "docs/inventory.md");
writeFileSync(path, inventoryPage(DEFAULT_RETENTION));
process.stdout.write(`${path}\n`);
