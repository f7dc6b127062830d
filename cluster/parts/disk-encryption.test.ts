import { equal } from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isDiskEncrypted, type DiskView } from "./disk-encryption.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "attune-disks-")));
after(() => rmSync(root, { recursive: true, force: true }));
const blockFolder = join(root, "block");
const data = join(root, "data");
mkdirSync(data);

/** Devices as the kernel shows them: what device mapper made them, and what they are made of. */
function device(name: string, { uuid, of = [] }: { uuid?: string; of?: string[] } = {}): void {
  for (const part of of) mkdirSync(join(blockFolder, name, "slaves", part), { recursive: true });
  mkdirSync(join(blockFolder, name, "dm"), { recursive: true });
  if (uuid !== undefined) writeFileSync(join(blockFolder, name, "dm", "uuid"), `${uuid}\n`);
}
device("sda1");
device("sdb1");
device("dm-0", { uuid: "CRYPT-LUKS2-0123", of: ["sda1"] });
device("dm-1", { uuid: "LVM-abc", of: ["dm-0"] });
device("dm-2", { uuid: "LVM-def", of: ["dm-0", "sdb1"] });

const view = (type: string, source: string): DiskView => ({
  blockFolder,
  mounts: `22 1 8:1 / / rw - ext4 /dev/none-such rw\n23 22 8:2 / ${data} rw,relatime shared:1 - ${type} ${source} rw\n`,
});

test("dm-crypt is found under a volume manager too, and one open part opens the whole", () => {
  equal(isDiskEncrypted(data, view("ext4", "/dev/dm-0")), true);
  equal(isDiskEncrypted(data, view("xfs", "/dev/dm-1")), true);
  equal(isDiskEncrypted(data, view("xfs", "/dev/dm-2")), false);
  equal(isDiskEncrypted(data, view("btrfs", "/dev/sdb1")), false);
});

test("a file system that encrypts is enough; of one without a disk nothing is said", () => {
  equal(isDiskEncrypted(data, view("fuse.gocryptfs", "/cipher")), true);
  equal(isDiskEncrypted(data, view("tmpfs", "tmpfs")), undefined);
  equal(isDiskEncrypted(root, view("tmpfs", "tmpfs")), undefined, "a mount beside is not the folder's");
});
