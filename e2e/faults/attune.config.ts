// The node's settings under the rigs: checkpoints so often that many of the faults fall into one.
import type { AttuneConfig } from "../../server/cli/config.ts";

export default { checkpointEveryMs: 150 } satisfies AttuneConfig;
