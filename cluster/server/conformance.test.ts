// A cluster's server against the suite that every host of the port passes.
import { projectSuite } from "../../server/testing/project-suite.ts";
import { clusterOfFile } from "./testing/cluster.ts";

const cluster = clusterOfFile();

projectSuite("cluster", {
  async open(program) {
    const project = await cluster.newProject({ program });
    return project.servers[0]!;
  },
  test: { skip: cluster.missing },
});
