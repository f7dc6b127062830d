// The embedded project against the suite that every host of the port passes.
import { projectSuite } from "../testing/project-suite.ts";
import { openProject, testFolder } from "./testing.ts";

const systemClock = {
  get nowMs() {
    return Date.now();
  },
};

projectSuite("embedded", { open: (firstProgram) => openProject(testFolder(), systemClock, { firstProgram }) });
