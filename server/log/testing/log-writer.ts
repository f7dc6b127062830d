// A process that appends numbered records for ever, to be killed by tests: `log-writer.ts FOLDER RECORDS_A_BATCH`.
// Prints `pid N`, `ack N` when the records below N are durable, `full`, `failed`, or `fault KIND`.
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { lockFolder } from "../../disk/folder-lock.ts";
import { LogFailedError, LogFullError } from "../log.ts";
import { RecordBatch } from "../record-batch.ts";
import { openLog } from "../segment-log.ts";

const RETRY_MS = 20;
const say = (line: string): number => writeSync(1, `${line}\n`);

say(`pid ${process.pid}`);
const [folder = "", recordsABatch = "1"] = process.argv.slice(2);
lockFolder(folder);
const log = await openLog(folder, {
  segmentBytesMax: 64 * 1024,
  reserveBytes: 64 * 1024,
  onFault: (fault) => say(`fault ${fault.kind}`),
});
let next = 0;
for (const entry of log.read(log.start)) next = Number(entry.payload.toString("latin1", 0, 12)) + 1;
say(`ack ${next}`);

const batch = new RecordBatch();
while (true) {
  batch.clear();
  for (let i = 0; i < Number(recordsABatch); i++) {
    batch.add(1, String(next + i).padStart(12, "0") + "x".repeat(i % 500));
  }
  try {
    await log.append(batch);
    next += batch.count;
    say(`ack ${next}`);
  } catch (error) {
    if (error instanceof LogFailedError) {
      say("failed");
      process.exit(3);
    }
    if (!(error instanceof LogFullError)) throw error;
    say("full");
    await setTimeout(RETRY_MS);
  }
}
