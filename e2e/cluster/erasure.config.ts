// The erasure rig's cluster: what is written lies open, and RocksDB writes files as often as a large state has it do.
import type { AttuneConfig } from "../../server/cli/config.ts";

const flinkSettings = {
  "state.backend.rocksdb.compression.per.level": "NO_COMPRESSION",
  "state.backend.rocksdb.writebuffer.size": "64 kb",
};

export default { cluster: { flinkSettings } } satisfies AttuneConfig;
