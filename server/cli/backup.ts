// `attune backup` beside a running node, and `attune restore` into a new folder.
import { takeBackup } from "../backup/backup.ts";
import type { PointInTime } from "../backup/cut.ts";
import { restoreBackup } from "../backup/restore.ts";
import { verifyProject } from "../embedded/verify.ts";
import { readSettings } from "./config.ts";
import { environmentOf } from "./environment.ts";
import { parseFlags } from "./flags.ts";
import { openSettingsHost } from "./node.ts";
import { kekFolder } from "./kek-folder.ts";
import { ledgerOf } from "./ledger-flag.ts";
import { timeOf } from "./time-flag.ts";
import { UsageError } from "./usage.ts";

const BACKUP_USAGE = "attune backup --to FOLDER [--whole] [--data FOLDER] [--config FILE]";
const RESTORE_USAGE =
  "attune restore --from FOLDER --data NEW_FOLDER [--at TIME | --position N] [--ledger PROJECT=FILE …] [--config FILE]";

/** Where the backups' key-encryption keys lie; keep them apart from the backups and from the data. */
const backupKeys = (): string | undefined => environmentOf()["ATTUNE_BACKUP_KEYS"];

export async function backupCommand(args: string[]): Promise<number> {
  const { values } = parseFlags({
    args,
    options: { to: { type: "string" }, whole: { type: "boolean" }, data: { type: "string" }, config: { type: "string" } },
  });
  if (values.to === undefined) throw new UsageError(BACKUP_USAGE);
  const { data: dataFolder } = await readSettings(values, process.env);
  const keys = { kekFolder: kekFolder(), backupKeys: backupKeys() };
  const report = await takeBackup({ dataFolder, to: values.to, ...keys, whole: values.whole === true, now: Date.now });
  const { at, files, copied, copied_bytes: bytes, total_bytes: total } = report;
  process.stdout.write(`backup of ${at}: ${files} files, ${total} bytes; ${copied} files, ${bytes} bytes copied\n`);
  return 0;
}

export async function restoreCommand(args: string[]): Promise<number> {
  const { values } = parseFlags({
    args,
    options: {
      from: { type: "string" },
      data: { type: "string" },
      at: { type: "string" },
      position: { type: "string" },
      ledger: { type: "string", multiple: true },
      config: { type: "string" },
    },
  });
  const { from, data } = values;
  if (from === undefined || data === undefined) throw new UsageError(RESTORE_USAGE);
  const point = pointOf(values);
  const settings = await readSettings(values, process.env);
  const ledgers = Object.fromEntries((values.ledger ?? []).map(ledgerOf));
  const keys = { kekFolder: kekFolder(), backupKeys: backupKeys() };
  const { at, projects } = await restoreBackup({ from, dataFolder: settings.data, ...keys, point, ledgers });
  process.stdout.write(`backup of ${at}\n`);
  const names = Object.fromEntries(projects.map(({ name }) => [name, name === "news" ? "news" : "shop"]));
  // Opening works the erasures off and builds the state; what it comes to is compared with the log once more.
  const host = await openSettingsHost({ ...settings, projects: names });
  let differences = 0;
  try {
    for (const { name, position, erasures } of projects) {
      const verified = await verifyProject(host.projects.get(name)!, { now: Date.now });
      differences += verified.differences.length + verified.faults.length;
      process.stdout.write(
        `${name}: log to position ${position}, ${erasures} erasures replayed, ${verified.records} records, ` +
          `${verified.persons} persons, ${verified.differences.length} differences\n`,
      );
    }
  } finally {
    await host.close();
  }
  return differences === 0 ? 0 : 1;
}

function pointOf({ at, position }: { at?: string | undefined; position?: string | undefined }): PointInTime | undefined {
  if (at !== undefined && position !== undefined) throw new UsageError("--at or --position, not both");
  if (position !== undefined) {
    if (!/^\d{1,15}$/.test(position)) throw new UsageError(`--position ${position}: a position of the log`);
    return { position: Number(position) };
  }
  return at === undefined ? undefined : { atMs: timeOf(at) };
}
