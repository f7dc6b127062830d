// `attune start`: the embedded node.
import { join } from "node:path";
import { KEY_FILE } from "../access/key-file.ts";
import { otherProjects } from "../embedded/host.ts";
import { auditPlace, readSettings } from "./config.ts";
import { parseFlags } from "./flags.ts";
import { NEWS_PROJECT, openSettingsHost, REBUILT } from "./node.ts";
import { serve } from "./serve.ts";

const AHEAD =
  "the data are ahead of this machine's clock: time stands still until it gets there. Set the clock right, or where the data " +
  "were written by a wrong one, restore a backup to a time before (attune restore --at)";

const NOT_NAMED =
  "the data folder holds projects that no setting names: they are not served, and neither retention nor an erasure goes on in them. " +
  "Name them under projects in attune.config.ts";

export async function startCommand(args: string[]): Promise<number> {
  const { values } = parseFlags({
    args,
    options: {
      host: { type: "string" },
      port: { type: "string" },
      "grpc-port": { type: "string" },
      data: { type: "string" },
      "tls-cert": { type: "string" },
      "tls-key": { type: "string" },
      demo: { type: "string" },
      config: { type: "string" },
    },
  });
  const settings = await readSettings(values, process.env);
  if (settings.demo) settings.projects = { [NEWS_PROJECT]: "news", ...settings.projects };
  const access = { keyFile: join(settings.data, KEY_FILE), audit: auditPlace(settings) };
  return serve({ ...settings, ...access }, async (logger, onOwnAct) => {
    const host = await openSettingsHost(settings, {
      onOwnAct,
      onFault: (fault) => logger.error({ fault }, "the log is damaged"),
      onClockAhead: (aheadMs) => logger.warn({ ahead_s: Math.round(aheadMs / 1_000) }, AHEAD),
      onStateRebuilt: (fault) => logger.warn({ fault }, REBUILT),
      onCheckpointFailed: (error) => logger.error({ err: error }, "a checkpoint failed; the log keeps everything"),
      onRetentionFailed: (error) => logger.error({ err: error }, "retention could not be finished; the next run goes on"),
      onErasureFailed: (error) => logger.error({ err: error }, "an erasure could not be finished; it is tried again"),
    });
    const others = otherProjects(settings.data, host.projects);
    if (others.length > 0) logger.warn({ projects: others }, NOT_NAMED);
    return host;
  });
}
