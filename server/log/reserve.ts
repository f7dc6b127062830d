// A file of zeros that keeps some space of the disk free. It is given up when the disk is full, so that truncating,
// deleting and checkpointing still find room, and taken again before the log goes on.
import { constants } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";

export interface Reserve {
  readonly held: boolean;
  /** Rejects with the disk's error, ENOSPC as a rule, where there is still no room. */
  take(): Promise<void>;
  giveBack(): Promise<void>;
}

/** Takes the reserve if it can. Where it cannot, the first append tries again and reports why. */
export async function openReserve(path: string, sizeBytes: number): Promise<Reserve> {
  let held = false;
  const reserve: Reserve = {
    get held() {
      return held;
    },
    async take() {
      try {
        await writeZeros(path, sizeBytes);
        held = true;
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },
    async giveBack() {
      await rm(path, { force: true });
      held = false;
    },
  };
  const present = await stat(path).catch(() => undefined);
  held = present?.size === sizeBytes || (await reserve.take().then(() => true, () => false));
  return reserve;
}

/** Whether so much can be written now: tried, because quotas and limits count too, and not only what the disk says. */
export async function hasRoomFor(path: string, sizeBytes: number): Promise<boolean> {
  try {
    await writeZeros(path, sizeBytes);
    return true;
  } catch {
    return false;
  } finally {
    await rm(path, { force: true });
  }
}

async function writeZeros(path: string, sizeBytes: number): Promise<void> {
  const file: FileHandle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
  try {
    const zeros = Buffer.alloc(Math.min(sizeBytes, 1024 * 1024));
    for (let written = 0; written < sizeBytes; ) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, sizeBytes - written), written);
      written += bytesWritten;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}
