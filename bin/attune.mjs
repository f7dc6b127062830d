#!/usr/bin/env node
// The `attune` command: the launcher with its first argument fixed.
process.argv.splice(2, 0, "attune");
await import("./launch.mjs");
