// A cluster's server against the suite that every host of the port passes.
import { after, afterEach, before } from "node:test";
import { projectSuite } from "../../server/testing/project-suite.ts";
import { clusterMissing } from "../testing/servers.ts";
import { startCluster, type TestCluster, type TestProject } from "./testing/cluster.ts";

const missing = clusterMissing();
let cluster: TestCluster;
let project: TestProject | undefined;

before(async () => {
  if (!missing) cluster = await startCluster();
});
afterEach(async () => {
  await project?.stop();
  project = undefined;
});
after(async () => {
  await cluster?.stop();
});

projectSuite("cluster", {
  async open(program) {
    project = await cluster.newProject({ program });
    return project.servers[0]!;
  },
  test: { skip: missing, timeout: 60_000 },
});
