package attune.flink;

import java.util.Collection;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.state.rocksdb.ConfigurableRocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;

/**
 * RocksDB's settings that Flink has no name for. Its manifest, which is in every incremental checkpoint, names the first and
 * the last key of each file that there ever was, until it is begun anew: by RocksDB's own choice after a gigabyte.
 */
public final class StateOptions implements ConfigurableRocksDBOptionsFactory {
  /** The default is minutes of a busy subtask, and the names of some hundred files. */
  private static final ConfigOption<MemorySize> MANIFEST_SIZE_MAX =
      ConfigOptions.key("attune.rocksdb.manifest-size-max")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(1).divide(16));

  private long manifestBytesMax = MANIFEST_SIZE_MAX.defaultValue().getBytes();

  @Override
  public StateOptions configure(ReadableConfig settings) {
    manifestBytesMax = settings.get(MANIFEST_SIZE_MAX).getBytes();
    return this;
  }

  @Override
  public DBOptions createDBOptions(DBOptions options, Collection<AutoCloseable> toClose) {
    return options.setMaxManifestFileSize(manifestBytesMax);
  }

  @Override
  public ColumnFamilyOptions createColumnOptions(ColumnFamilyOptions options, Collection<AutoCloseable> toClose) {
    return options;
  }
}
