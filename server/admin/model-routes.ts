// How the models do, over time, and what has changed: the console's view of it, and whoever watches from outside.
import { ok, type Route } from "../http/route.ts";

export function modelRoutes(): Route[] {
  return [{ method: "GET", path: "/v1/models", access: "read", handle: async ({ project }) => ok(await project.models()) }];
}
