// Tells of each alarm of the models once: in the log of the process, and to the program's webhook where it names one. What
// happened before the process started was told by the one before.
import type { Logger } from "pino";
import type { HealthView } from "../../core/model/health-view.ts";
import type { Project } from "../ports.ts";
import type { WebhookSender } from "../webhooks/sender.ts";

const LOOK_EVERY_MS = 5_000;

export type ModelAlarm = HealthView["alarms"][number];

export interface AlarmWatch {
  /** Looks now. */
  look(): Promise<void>;
  stop(): void;
}

export function watchAlarms(options: {
  projects: () => readonly Project[];
  logger: Logger;
  webhooks: Pick<WebhookSender, "alert">;
}): AlarmWatch {
  /** By project: the alarms that were told, or that were there before. */
  const told = new Map<string, ReadonlySet<string>>();
  const nameOf = ({ metric, at }: ModelAlarm): string => `${at} ${metric}`;
  const lookAt = async (project: Project): Promise<void> => {
    const { alarms } = await project.models();
    const before = told.get(project.name);
    told.set(project.name, new Set(alarms.map(nameOf)));
    if (before === undefined) return;
    const fresh = alarms.filter((alarm) => !before.has(nameOf(alarm)));
    if (fresh.length === 0) return;
    const url = (await project.program())?.document.models?.alerts?.webhook;
    for (const alarm of fresh) {
      options.logger.warn({ project: project.name, alarm }, "the models see a change");
      if (url !== undefined) options.webhooks.alert(project, { url, alarm });
    }
  };
  const look = async (): Promise<void> => {
    for (const project of options.projects()) await lookAt(project);
  };
  const timer = setInterval(() => void look().catch((err: unknown) => options.logger.error({ err }, "alarms were not looked at")), LOOK_EVERY_MS);
  timer.unref();
  void look().catch(() => {});
  return { look, stop: () => clearInterval(timer) };
}
