// The erasure rig's cluster with its state on the heap: checkpoints are all that is written of it.
import type { AttuneConfig } from "../../server/cli/config.ts";

export default { cluster: { flinkSettings: { "state.backend.type": "hashmap" } } } satisfies AttuneConfig;
