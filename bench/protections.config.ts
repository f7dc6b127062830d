// The protections bench: requests are counted as by default, and never refused.
import type { AttuneConfig } from "../server/cli/config.ts";

const limits = { keyPerS: 1_000_000, addressPerS: 1_000_000, personPerS: 1_000_000 };

export default { limits } satisfies AttuneConfig;
