// The erasure rig's cluster: what is written lies open, and RocksDB writes files as often as a large state has it do.
import type { AttuneConfig } from "../../server/cli/config.ts";

const flinkSettings = {
  "state.backend.rocksdb.compression.per.level": "NO_COMPRESSION",
  "state.backend.rocksdb.writebuffer.size": "64 kb",
  // Begun anew with each change of its files, in place of after some minutes.
  "attune.rocksdb.manifest-size-max": "1 b",
};

export default { cluster: { flinkSettings } } satisfies AttuneConfig;
