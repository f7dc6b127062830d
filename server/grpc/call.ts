// From a method of a published service to a handler that sees plain objects, as an HTTP handler sees JSON, and back.
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  MethodDefinition,
  ServerWritableStream,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import { notTheirs, refusal, requireNeed, type Gate } from "../access/gate.ts";
import { credentialsOf } from "../access/principal.ts";
import { mayRead, type Reader } from "../access/reader.ts";
import type { Need } from "../access/roles.ts";
import type { Limits } from "../access/limits.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { JSON_DEPTH_MAX } from "../http/body.ts";
import type { ClientAddress } from "../http/client-address.ts";
import { fromJson, type Source } from "../http/parameters.ts";
import { goingDown, Problem } from "../http/problem.ts";
import { findProject, isAudited } from "../http/request-call.ts";
import type { Timings } from "../http/timings.ts";
import type { Enricher, Sender } from "../intake/enrich/enrich.ts";
import type { PersonRef } from "../../core/record.ts";
import type { Project } from "../ports.ts";
import { TooDeepError } from "../protobuf/json-types.ts";
import { codecOf, serviceOf } from "../protobuf/messages.ts";
import { expectedProblem, statusOf } from "./status.ts";

export type Message = Record<string, unknown>;
type Method = MethodDefinition<Buffer, Buffer>;
interface AnyCall {
  metadata: Metadata;
  getPeer(): string;
}
export type WatchCall = ServerWritableStream<Buffer, Buffer>;

/** What a handler sees of a call. */
export interface Caller extends Reader {
  readonly sender: Sender;
  /** Before each message of a stream, which counts as a request does. @throws Problem (key_missing, key_invalid, rate_limited). */
  goesOn(): void;
  /** Before the answer goes out: an anonymous id may have become a user's while it was made. @throws Problem (forbidden). */
  checkAgain(): void;
}

export interface CallOptions {
  projects: (name: string) => Project | undefined;
  gate: Gate;
  limits: Limits;
  clients: Pick<ClientAddress, "behind">;
  audit?: AuditLog | undefined;
  enricher: Enricher;
  timings: Timings;
  logger: Logger;
  /** True when the server goes down: calls that come are told to try another. */
  closing: () => boolean;
}

/** What a method of a service needs; one that is not named here is refused when the server is made. */
export const METHOD_NEEDS: Readonly<Record<string, Need>> = {
  "Events/Send": "collect",
  "Events/SendStream": "collect",
  "Profiles/Get": "own",
  "Profiles/SetAttributes": "collect",
  "Profiles/Watch": "own",
  "Recommendations/Recommend": "own",
  "Recommendations/Similar": "browse",
  "Recommendations/Trending": "browse",
  "Recommendations/Watch": "own",
  "Decisions/Decide": "own",
};

export interface Calls {
  /** @param handle - gets the request as it would be in JSON, and its bytes. */
  unary(
    method: Named,
    handle: (request: Source & { message: Message }, caller: Caller) => Promise<object>,
  ): handleUnaryCall<Buffer, Buffer>;
  /** Bytes in, bytes out: for messages that are counted before they are decoded. */
  raw(method: Named, handle: (bytes: Buffer, caller: Caller) => Promise<object>): handleUnaryCall<Buffer, Buffer>;
  rawStream(
    method: Named,
    handle: (bytes: Buffer, caller: Caller) => Promise<object>,
  ): handleBidiStreamingCall<Buffer, Buffer>;
  watch(
    method: Named,
    open: (request: Source & { message: Message }, caller: Caller, call: WatchCall) => Promise<void>,
  ): handleServerStreamingCall<Buffer, Buffer>;
}

/** A method by its service, and the messages that it takes and gives. */
export interface Named {
  service: string;
  method: string;
}

/**
 * The definition of a service for the library. Messages stay bytes there, so that what is malformed is answered as
 * such, and a reader's unread bytes can be counted.
 */
export function definitionOf(service: string): Record<string, Method> {
  const same = (bytes: Buffer): Buffer => bytes;
  const { methods, fullName } = serviceOf(service);
  return Object.fromEntries(
    Object.values(methods).map((method): [string, Method] => [
      method.name,
      {
        path: `/${fullName.slice(1)}/${method.name}`,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ]),
  );
}

export function createCalls(options: CallOptions): Calls {
  const { timings, logger } = options;

  /** Key and user token come as metadata, by the names of HTTP's headers. @throws Problem. */
  async function callerOf(call: AnyCall, named: Named): Promise<Caller> {
    if (options.closing()) throw goingDown();
    const text = (name: string): string | undefined => call.metadata.get(name)[0]?.toString();
    const headers = { authorization: text("authorization"), "attune-user-token": text("attune-user-token") };
    const projectName = text("attune-project");
    const { gate, limits, clients } = options;
    const forwarded = call.metadata.get("x-forwarded-for");
    const address = clients.behind(addressOf(call.getPeer()), forwarded.length === 0 ? undefined : forwarded.join(","));
    if (!gate.isOpen) limits.address(address);
    const principal = await gate.identify(credentialsOf(headers, {}), projectName);
    if (principal.kind !== "open") limits.key(principal.id);
    requireNeed(principal, METHOD_NEEDS[methodName(named)]!);
    const project = findProject(options.projects, projectName ?? principal.project);
    const read: PersonRef[] = [];
    return {
      principal,
      project,
      goesOn() {
        if (!principal.holds()) throw refusal(principal.kind === "open" ? "key_missing" : "key_invalid");
        if (principal.kind === "open") return;
        limits.address(address);
        limits.key(principal.id);
      },
      checkAgain() {
        if (!read.every((ref) => mayRead(ref, { principal, project }))) throw notTheirs();
      },
      sender: options.enricher.sender({ address, userAgent: text("user-agent"), isTrusted: principal.may("read") }),
      noted(ref) {
        if (principal.kind === "open") return;
        if (!principal.may("read")) read.push(ref);
        const { audit } = options;
        const personKey = project.personKey(ref);
        limits.person(project.name, personKey);
        if (audit === undefined || !isAudited(principal)) return;
        const subject = audit.subjectOf(project.name, personKey);
        audit.read({ project: project.name, actor: principal.id, action: `grpc ${methodName(named)}`, subject });
      },
    };
  }

  function problemOf(error: unknown, { service, method }: Named): Problem {
    const problem = expectedProblem(error);
    if (problem !== undefined) return problem;
    logger.error({ err: error, method: `${service}/${method}` }, "a gRPC handler failed");
    return new Problem("internal", "The server failed; its log says more.");
  }

  function partsOf(named: Named) {
    if (METHOD_NEEDS[methodName(named)] === undefined) throw new Error(`${methodName(named)} says not what it needs`);
    const { requestType, responseType } = serviceOf(named.service).methods[named.method]!;
    return {
      request: codecOf(requestType),
      response: codecOf(responseType),
      timing: timings.of(`grpc ${named.service}/${named.method}`),
    };
  }

  const calls: Calls = {
    raw(named, handle) {
      const { response, timing } = partsOf(named);
      return (call, callback) => {
        const startMs = performance.now();
        const answer = async () => {
          const caller = await callerOf(call, named);
          const message = await handle(call.request, caller);
          caller.checkAgain();
          return message;
        };
        answer()
          .then((message) => response.encode(message as Message))
          .then(
            (bytes) => callback(null, bytes),
            (error: unknown) => callback(statusOf(problemOf(error, named))),
          )
          .finally(() => timing.record(performance.now() - startMs));
      };
    },
    unary(named, handle) {
      const { request } = partsOf(named);
      return calls.raw(named, async (bytes, caller) => handle(sourceOf(decode(bytes, request.decode)), caller));
    },
    rawStream(named, handle) {
      const { response, timing } = partsOf(named);
      return (call) => {
        const serve = async (): Promise<void> => {
          const caller = await callerOf(call, named);
          // One batch after the other: the sender is read no faster than the log takes. A refusal leaves the stream whole, so that
          // its status still goes out.
          const batches: AsyncIterable<Buffer> = call.iterator({ destroyOnReturn: false });
          for await (const bytes of batches) {
            caller.goesOn();
            const startMs = performance.now();
            const answer = response.encode((await handle(bytes, caller)) as Message);
            timing.record(performance.now() - startMs);
            if (call.cancelled) return;
            await new Promise<void>((written) => {
              call.once("cancelled", written);
              call.write(answer, () => {
                call.off("cancelled", written);
                written();
              });
            });
          }
          call.end();
        };
        serve().catch((error: unknown) => {
          if (!call.cancelled) call.emit("error", statusOf(problemOf(error, named)));
        });
      };
    },
    watch(named, open) {
      const { request } = partsOf(named);
      return (call) => {
        const serve = async (): Promise<void> => {
          const caller = await callerOf(call, named);
          if (!call.cancelled) await open(sourceOf(decode(call.request, request.decode)), caller, call);
        };
        serve().catch((error: unknown) => {
          if (!call.cancelled) call.emit("error", statusOf(problemOf(error, named)));
        });
      };
    },
  };
  return calls;
}

function methodName({ service, method }: Named): string {
  return `${service}/${method}`;
}

function sourceOf(message: Message): Source & { message: Message } {
  return { ...fromJson(message), message };
}

function decode(bytes: Buffer, read: (bytes: Buffer) => Message): Message {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof TooDeepError) {
      throw new Problem("too_deep", `The message is nested more than ${JSON_DEPTH_MAX} deep.`);
    }
    throw new Problem("bad_request", "The message is not what the service takes.");
  }
}

/** `127.0.0.1:1234`, `::1:1234` or `[::1]:1234` without the port. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
