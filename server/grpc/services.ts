// The services of proto/attune/v1 over the same handlers and the same port as the HTTP routes.
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { ID_CHARS_MAX, personRef, requiredText } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { readProtobuf } from "../intake/binary-body.ts";
import type { Intake } from "../intake/intake.ts";
import { readAttributes } from "../serve/attributes.ts";
import { decideFor, listFor, readRequest, similarFor, trendingFor } from "../serve/recommendation-routes.ts";
import type { Caller, Calls } from "./call.ts";
import type { Watches } from "./watch.ts";

export interface GrpcService {
  /** Within the package `attune.v1`. */
  name: string;
  handlers: UntypedServiceImplementation;
}

export function createServices(calls: Calls, watches: Watches, intake: Intake): GrpcService[] {
  /** An answer for each event, also where none was good: a call that fails says nothing about single events. */
  async function take(bytes: Buffer, { project, sender }: Caller): Promise<object> {
    intake.checkRoom(project, bytes.length);
    const options = { sender, sizeBytes: bytes.length, source: "grpc", keepRejected: true };
    return intake.take(project, readProtobuf(bytes), options);
  }

  const events = (method: string) => ({ service: "Events", method });
  const profiles = (method: string) => ({ service: "Profiles", method });
  const lists = (method: string) => ({ service: "Recommendations", method });
  return [
    {
      name: "Events",
      handlers: { Send: calls.raw(events("Send"), take), SendStream: calls.rawStream(events("SendStream"), take) },
    },
    {
      name: "Profiles",
      handlers: {
        Get: calls.unary(profiles("Get"), async (request, caller) => {
          const profile = await caller.project.profile(await personRef(request, caller));
          if (profile === undefined) throw new Problem("unknown_person", "Nobody is known by this id.");
          return profile;
        }),
        SetAttributes: calls.unary(profiles("SetAttributes"), async (request, caller) => {
          const ref = await personRef(request, caller);
          return caller.project.setAttributes(ref, readAttributes(request.get("attributes")));
        }),
        Watch: calls.watch(profiles("Watch"), watches.profile),
      },
    },
    {
      name: "Recommendations",
      handlers: {
        Recommend: calls.unary(lists("Recommend"), async (request, caller) =>
          listFor(caller.project, await readRequest(request, caller)),
        ),
        Similar: calls.unary(lists("Similar"), (request, { project }) =>
          similarFor(project, requiredText(request, "item_id", ID_CHARS_MAX), request),
        ),
        Trending: calls.unary(lists("Trending"), (request, { project }) => trendingFor(project, request)),
        Watch: calls.watch(lists("Watch"), watches.lists),
      },
    },
    {
      name: "Decisions",
      handlers: {
        Decide: calls.unary({ service: "Decisions", method: "Decide" }, (request, caller) =>
          decideFor(caller, request),
        ),
      },
    },
  ];
}
