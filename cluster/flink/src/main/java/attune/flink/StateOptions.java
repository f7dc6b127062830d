package attune.flink;

import java.time.Duration;
import java.util.Collection;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.state.rocksdb.RocksDBConfigurableOptions;
import org.apache.flink.state.rocksdb.RocksDBOptions;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.FlinkCompactionFilter.FlinkCompactionFilterFactory;

/**
 * RocksDB's settings: for many persons (docs/decisions/cluster.md), and so that what was deleted leaves its files with a
 * compaction ({@link StateFiles}).
 */
public final class StateOptions implements RocksDBOptionsFactory {
  /**
   * The manifest, which is in every checkpoint, names the first and the last key of each file that there was, until it is
   * begun anew: here with every change of the files. It costs nothing that could be measured, of 1,500 files either.
   */
  private static final long MANIFEST_BYTES_MAX = 1;

  /**
   * Files of the first level, one for each checkpoint, that come together before they are merged into the next one, of which
   * such a merge rewrites all. With 4, which is RocksDB's own, a million persons took a core for compactions alone.
   */
  private static final int FRESH_FILES = 16;

  /** How old a file may be before it is rewritten. What was deleted without an erasure, as by age, is gone after two or three. */
  private static final long FILE_AGE_SECONDS_MAX = Duration.ofHours(8).toSeconds();

  /**
   * What a job is configured with. Each event asks for an id that is not there: without filters that looks into a file of
   * every level, and in one piece each filter and index of a large file is read anew where the cache holds few of them.
   */
  static Configuration settings() {
    return new Configuration()
        .set(RocksDBOptions.OPTIONS_FACTORY, StateOptions.class.getName())
        .set(RocksDBConfigurableOptions.USE_BLOOM_FILTER, true)
        .set(RocksDBOptions.USE_PARTITIONED_INDEX_FILTERS, true);
  }

  @Override
  public DBOptions createDBOptions(DBOptions options, Collection<AutoCloseable> toClose) {
    return options.setMaxManifestFileSize(MANIFEST_BYTES_MAX);
  }

  /**
   * A filter that keeps everything. Without one a compaction moves a file that overlaps no other as it is, and looks at the
   * last level never again: of a key that was written and deleted between two checkpoints the deletion, which names it, would
   * stay for ever. States with a time to live have a filter of Flink's own in its place.
   */
  @Override
  public ColumnFamilyOptions createColumnOptions(ColumnFamilyOptions options, Collection<AutoCloseable> toClose) {
    FlinkCompactionFilterFactory keepsAll = new FlinkCompactionFilterFactory(System::currentTimeMillis);
    toClose.add(keepsAll);
    return options
        .setCompactionFilterFactory(keepsAll)
        .setPeriodicCompactionSeconds(FILE_AGE_SECONDS_MAX)
        .setLevel0FileNumCompactionTrigger(FRESH_FILES)
        .setLevel0SlowdownWritesTrigger(3 * FRESH_FILES)
        .setLevel0StopWritesTrigger(4 * FRESH_FILES);
  }
}
