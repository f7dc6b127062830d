// One request as handlers see it: who asks is settled first, everything else is read only when asked for.
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import { notTheirs, refusal, requireNeed, type Gate } from "../access/gate.ts";
import { credentialsOf, NOBODY, type Principal } from "../access/principal.ts";
import type { Limits } from "../access/limits.ts";
import { mayRead } from "../access/reader.ts";
import type { Need } from "../access/roles.ts";
import type { PersonRef } from "../../core/record.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Project } from "../ports.ts";
import type { ClientAddress } from "./client-address.ts";
import { isOwnPage } from "./origin.ts";
import { Problem } from "./problem.ts";
import type { Call, Query } from "./route.ts";

export interface CallContext {
  projects: (name: string) => Project | undefined;
  clients: ClientAddress;
  gate: Gate;
  limits: Limits;
  audit?: AuditLog | undefined;
  now: () => number;
}

/** What of a route is needed to admit a request. */
export interface Door {
  readonly method: string;
  readonly path: string;
  readonly access: Need;
  readonly persons?: boolean;
  readonly isChange?: boolean;
  readonly keyInBody?: boolean;
}

export class RequestCall implements Call {
  readonly #request: FastifyRequest;
  readonly #context: CallContext;
  readonly #door: Door;
  readonly nowMs: number;
  #principal: Principal | undefined;
  #project: Project | undefined;
  /** Whom the answer is about, where who asks may not read everybody. */
  readonly #read: PersonRef[] = [];

  constructor(request: FastifyRequest, door: Door, context: CallContext) {
    this.#request = request;
    this.#door = door;
    this.#context = context;
    this.nowMs = context.now();
  }

  /** Settles who asks; to be waited for before the handler is called. @throws Problem 401, 403 or 429. */
  admit(): void | Promise<void> {
    const { gate } = this.#context;
    if (gate.isOpen) {
      this.#principal = gate.open;
      return undefined;
    }
    this.#context.limits.address(this.address);
    if (this.#door.access === "public") {
      this.#principal = NOBODY;
      return undefined;
    }
    const shown = this.#shown();
    if (this.#door.keyInBody === true && shown.key === undefined) return undefined;
    const found = gate.identify(shown, this.#named());
    return found instanceof Promise ? found.then((principal) => this.#let(principal)) : this.#let(found);
  }

  get isAdmitted(): boolean {
    return this.#principal !== undefined;
  }

  /** @throws Problem where it is not in force or not for this route. */
  showKey(key: string | undefined): void {
    if (this.#principal !== undefined) return; // it came with the header, or the node is open
    const found = this.#context.gate.identify({ ...this.#shown(), key, isInUrl: false }, this.#named());
    if (found instanceof Promise) throw refusal("token_invalid"); // protocols with keys in bodies know no user tokens
    this.#let(found);
  }

  async whoAsks(): Promise<Principal> {
    const { gate } = this.#context;
    if (gate.isOpen) return gate.open;
    try {
      return await gate.identify(this.#shown(), this.#named());
    } catch (error) {
      if (error instanceof Problem) return NOBODY;
      throw error;
    }
  }

  /** The one origin that may read the answer, where the key is bound to some. */
  get boundOrigin(): string | undefined {
    return this.#principal?.isOriginBound === true ? this.headers.origin : undefined;
  }

  get principal(): Principal {
    if (this.#principal === undefined) throw refusal("key_missing");
    return this.#principal;
  }
  get project(): Project {
    const { principal } = this;
    return (this.#project ??= findProject(this.#context.projects, this.#named() ?? principal.project));
  }
  get params(): Record<string, string> {
    return this.#request.params as Record<string, string>;
  }
  get query(): Query {
    return this.#request.query as Query;
  }
  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }
  get body(): Buffer | null {
    return (this.#request.body as Buffer | undefined) ?? null;
  }
  get address(): string {
    return this.#context.clients.of(this.#request.raw);
  }
  get isSecure(): boolean {
    return this.#context.clients.isSecure(this.#request.raw);
  }

  noted(ref: PersonRef): void {
    const { audit, limits } = this.#context;
    const { project, principal } = this;
    // An export, or what the trail itself says of somebody: taken down of everybody.
    const isAdminRead = this.#door.method === "GET" && this.#door.access === "admin";
    if (principal.kind === "open" && !isAdminRead) return;
    if (!principal.may("read")) this.#read.push(ref);
    const personKey = project.personKey(ref);
    limits.person(project.name, personKey);
    if (audit === undefined || this.#door.isChange === true || !(isAdminRead || isAudited(principal))) return;
    const subject = audit.subjectOf(project.name, personKey);
    audit.read({ project: project.name, actor: principal.id, action: actionOf(this.#door), subject });
  }

  /** Before the answer goes out: an anonymous id may have become a user's while it was made. @throws Problem (forbidden). */
  checkAgain(): void {
    if (!this.#read.every((ref) => mayRead(ref, this))) throw notTheirs();
  }

  #shown() {
    const { headers, method } = this.#request;
    return credentialsOf(headers, this.query, isOwnPage(headers, method, this.#context.clients.host(this.#request.raw)));
  }

  #named(): string | undefined {
    return projectNamed(this.headers, this.query);
  }

  #let(principal: Principal): void {
    requireNeed(principal, this.#door.access);
    this.#context.limits.key(principal.id);
    this.#principal = principal;
    const { audit } = this.#context;
    if (audit === undefined || this.#door.persons !== true) return;
    audit.read({ project: this.project.name, actor: principal.id, action: actionOf(this.#door) });
  }
}

/** The project that a request names in its header or, where a browser cannot set one, in its query. */
export function projectNamed(headers: IncomingHttpHeaders, query: Query): string | undefined {
  const name = headers["attune-project"] ?? query["project"];
  if (name === undefined || typeof name === "string") return name;
  throw unknownProject();
}

/** @param name - `default` where nobody named one. @throws Problem (unknown_project). */
export function findProject(projects: (name: string) => Project | undefined, name = "default"): Project {
  const project = name.length <= 64 ? projects(name) : undefined;
  if (project === undefined) throw unknownProject();
  return project;
}

/** The trail names what was done as the API documents name it. */
export function actionOf({ method, path }: Pick<Door, "method" | "path">): string {
  return `${method} ${path}`;
}

/** Reads are taken down of those who may read anybody; a visitor's own page is nobody's business. */
export function isAudited(principal: Principal): boolean {
  return principal.kind !== "open" && principal.may("read");
}

function unknownProject(): Problem {
  return new Problem("unknown_project", "The node has no such project.", { parameter: "project" });
}
