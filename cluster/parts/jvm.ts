// What Kafka's and Flink's processes share: a bounded heap and logs that roll.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { javaProgram } from "../install/tools.ts";

export interface JvmOptions {
  name: string;
  folder: string;
  /** A folder of jars. */
  jars: string;
  main: string;
  heapMb: number;
  jvm?: readonly string[];
  args: readonly string[];
}

/** The command line of a JVM that logs into `<folder>/<name>.log`. */
export function jvmCommand({ name, folder, jars, main, heapMb, jvm = [], args }: JvmOptions): {
  program: string;
  args: string[];
} {
  return {
    program: javaProgram(),
    args: [
      `-Xms${Math.min(heapMb, 128)}m`,
      `-Xmx${heapMb}m`,
      // Two shared cores and small heaps: one collecting thread, and memory that is not used goes back.
      "-XX:+UseSerialGC",
      "-XX:+ExitOnOutOfMemoryError",
      "-Xshare:auto",
      `-Djava.io.tmpdir=${temporaryFolder(folder)}`,
      `-Dlog.file=${join(folder, `${name}.log`)}`,
      `-Dlog4j2.configurationFile=${join(folder, "log4j2.properties")}`,
      `-Dlog4j.configurationFile=${join(folder, "log4j2.properties")}`,
      ...jvm,
      "-cp",
      join(jars, "*"),
      main,
      ...args,
    ],
  };
}

/** Where a JVM unpacks native libraries and spills; a killed one leaves that behind, so every start empties it. */
export const temporaryFolder = (folder: string): string => join(folder, "tmp");

/** The part's folder with an empty temporary one and log settings: logs roll at 10 MB, two old ones are kept. */
export async function prepareJvm(folder: string): Promise<void> {
  await rm(temporaryFolder(folder), { recursive: true, force: true });
  await mkdir(temporaryFolder(folder), { recursive: true });
  await writeFile(
    join(folder, "log4j2.properties"),
    `rootLogger.level = INFO
rootLogger.appenderRef.file.ref = File
appender.file.name = File
appender.file.type = RollingFile
appender.file.fileName = \${sys:log.file}
appender.file.filePattern = \${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
`,
  );
}

/** A Java properties file. */
export function properties(entries: Readonly<Record<string, string | number>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${String(value).replaceAll("\\", "\\\\")}\n`)
    .join("");
}
