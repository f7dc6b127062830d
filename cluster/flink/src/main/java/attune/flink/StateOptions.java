package attune.flink;

import java.time.Duration;
import java.util.Collection;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.FlinkCompactionFilter.FlinkCompactionFilterFactory;

/** RocksDB's settings that Flink has no name for: what was deleted leaves its files with a compaction ({@link StateFiles}). */
public final class StateOptions implements RocksDBOptionsFactory {
  /**
   * The manifest, which is in every checkpoint, names the first and the last key of each file that there was, until it is
   * begun anew: here with every change of the files. It costs nothing that could be measured, of 1,500 files either.
   */
  private static final long MANIFEST_BYTES_MAX = 1;

  /** How old a file may be before it is rewritten. What was deleted without an erasure, as by age, is gone after two or three. */
  private static final long FILE_AGE_SECONDS_MAX = Duration.ofHours(8).toSeconds();

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
    return options.setCompactionFilterFactory(keepsAll).setPeriodicCompactionSeconds(FILE_AGE_SECONDS_MAX);
  }
}
