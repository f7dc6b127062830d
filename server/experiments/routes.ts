// What experiments have shown and what slots have learnt, as it is now.
import { pathText } from "../http/parameters.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { unknownName } from "../serve/unknown-name.ts";

export function experimentRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/experiments",
      access: "read",
      handle: async ({ project }) => ok({ experiments: await project.experiments() }),
    },
    { method: "GET", path: "/v1/experiments/{name}", access: "read", handle: readExperiment },
    { method: "GET", path: "/v1/slots", access: "read", handle: async ({ project }) => ok({ slots: await project.slots() }) },
  ];
}

async function readExperiment(call: Call): Promise<Answer> {
  const name = pathText(call, "name");
  const experiment = await call.project.experiment(name);
  if (experiment === undefined) throw await unknownName(call.project, "unknown_experiment", name, { parameter: "name" });
  return ok(experiment);
}
