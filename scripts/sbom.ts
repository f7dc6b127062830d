// Writes dist/sbom.json: every package that the product runs with, from the lock file, as CycloneDX. `npm run sbom`.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const SIZE_BYTES_MAX = 16 * 1024 * 1024;

const args = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"];
const text = execFileSync("npm", args, { cwd: ROOT, encoding: "utf8", maxBuffer: SIZE_BYTES_MAX, stdio: ["ignore", "pipe", "inherit"] });
const { components } = JSON.parse(text) as { components: readonly unknown[] };
mkdirSync(join(ROOT, "dist"), { recursive: true });
writeFileSync(join(ROOT, "dist", "sbom.json"), text);
process.stdout.write(`dist/sbom.json: ${components.length} packages\n`);
