// The ZooKeeper that Flink brings along: it keeps which JobManager leads and which jobs it must have, so that a
// JobManager that was killed comes back with its jobs and their newest checkpoints.
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { jvmCommand, properties, prepareJvm } from "./jvm.ts";
import type { PartSpec } from "./part.ts";

const HEAP_MB = 64;
const TICK_MS = 1_000;

export interface ZookeeperOptions {
  folder: string;
  /** Flink's jars. */
  jars: string;
  port: number;
}

export function zookeeperSpec({ folder, jars, port }: ZookeeperOptions): PartSpec {
  const file = join(folder, "zoo.cfg");
  const main = "org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer";
  const args = ["--zkConfigFile", file, "--peerId", "1"];
  return {
    name: "zookeeper",
    folder,
    ...jvmCommand({ name: "zookeeper", folder, jars, main, heapMb: HEAP_MB, args }),
    listens: [{ host: "127.0.0.1", port }],
    async prepare() {
      await mkdir(join(folder, "data"), { recursive: true });
      await prepareJvm(folder);
      const settings = {
        tickTime: TICK_MS,
        initLimit: 10,
        syncLimit: 5,
        dataDir: join(folder, "data"),
        clientPort: port,
        clientPortAddress: "127.0.0.1",
        "admin.enableServer": "false",
        "autopurge.purgeInterval": 1,
      };
      await writeFile(file, properties(settings));
    },
    isReady: () => accepts(port),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true))).once("error", () => resolve(false));
  });
}
