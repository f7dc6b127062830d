// The rig's cluster: a silent TaskManager is given up sooner than in production, so that nobody waits for it.
import type { AttuneConfig } from "../../server/cli/config.ts";

export default { cluster: { flinkSettings: { "heartbeat.timeout": "8 s" } } } satisfies AttuneConfig;
