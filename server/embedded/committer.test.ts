// The committer on a disk that fills up, and is freed while nobody writes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openLog } from "../log/segment-log.ts";
import { mountSmallDisk, unmountSmallDisk, withoutSmallDisk } from "../log/testing/small-disk.ts";
import { Committer } from "./committer.ts";

const root = mkdtempSync(join(tmpdir(), "attune-committer-"));
after(() => rmSync(root, { recursive: true, force: true }));

const SPACE_LOOK_MS = 5_000;

test("a disk that was full is seen to be free without a write of anybody's", { skip: withoutSmallDisk }, async (t) => {
  const folder = join(root, "full");
  const refused = mountSmallDisk(folder);
  if (refused !== undefined) return t.skip(refused); // Without a disk to fill there is nothing to test.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const log = await openLog(join(folder, "log"), { reserveBytes: 128 * 1024, onFault: () => {} });
    let folded = 0;
    const committer = new Committer({ log, fold: () => {}, folded: (end) => (folded = end), clock: () => 1 });
    const write = (title: string): Promise<void> =>
      committer.submit({
        sizeBytes: 1,
        records: 1,
        prepare: () => [{ kind: "item_put", at: 1, item: { item_id: "a", title, categories: [], tags: [], attributes: {} } }],
      });
    const nothing = (): Promise<void> => committer.submit({ sizeBytes: 0, records: 0, prepare: () => [] });
    await write("fits");
    const ballast = join(folder, "ballast");
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    await assert.rejects(write("x".repeat(200_000)), { code: "storage_full" });
    assert.equal(committer.storageFull, true);
    await nothing();
    assert.equal(committer.storageFull, true, "a group without records says nothing of the disk");

    const look = async (): Promise<void> => {
      t.mock.timers.tick(SPACE_LOOK_MS);
      // What comes after the look waits for it.
      await committer.exclusive(async () => {});
    };
    await look();
    assert.equal(committer.storageFull, true, "there is still no space");
    rmSync(ballast);
    await look();
    assert.equal(committer.storageFull, false);
    assert.equal(folded, log.end);
    await write("fits again");
    assert.equal([...log.read(0)].length, 2);
    await committer.close();
    await log.close();
  } finally {
    unmountSmallDisk(folder);
  }
});
