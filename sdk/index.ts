// The npm entry: `import { createAttune } from "attune/sdk"`.
export { createAttune } from "./attune.ts";
export type * from "./types.ts";
