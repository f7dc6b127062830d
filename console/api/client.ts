// The node's HTTP interface, typed. Every refusal becomes an ApiProblem with the words that the node found for it.
import { nodeClock } from "./node-clock.ts";
import type { Preview } from "../lists/preview-types.ts";
import type {
  AuditEntry,
  AuditPage,
  Consent,
  DeadLetters,
  ErasureJob,
  Experiment,
  IntakeAnswer,
  InventoryKind,
  IssuedKey,
  Item,
  Key,
  KeyRequest,
  ModelHealth,
  PersonRef,
  Profile,
  Program,
  ProgramFault,
  ProgramVersions,
  RecommendationList,
  Retention,
  SearchAnswer,
  Segment,
  SegmentUsers,
  Session,
  Slot,
  Stats,
} from "./types.ts";

/** A request that did not succeed; `status` 0 means that no answer came. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly code: string;
  readonly faults: readonly ProgramFault[];
  constructor(problem: {
    status: number;
    code: string;
    message: string;
    faults?: readonly ProgramFault[];
    cause?: unknown;
  }) {
    super(problem.message, { cause: problem.cause });
    this.status = problem.status;
    this.code = problem.code;
    this.faults = problem.faults ?? [];
  }
}

/** Nothing came back, so the node is away or the network is; any other problem is the node's own words. */
export function isUnanswered(error: unknown): boolean {
  return !(error instanceof ApiProblem) || error.status === 0;
}

const ITEMS_PER_LOOKUP_MAX = 100;

export type TaggedProgram = Program & { readonly tag: string };

export interface Api {
  readonly project: string;
  /** The address of a stream for EventSource, with the project in its query. */
  streamUrl(path: string, query: Record<string, string>): string;
  session(): Promise<Session>;
  /** Afterwards the browser holds a cookie that no script can read. */
  logIn(key: string): Promise<Session>;
  /** Resolves to where the identity provider's own session ends, where there is one. */
  logOut(): Promise<string | undefined>;
  keys(): Promise<Key[]>;
  makeKey(request: KeyRequest): Promise<IssuedKey>;
  rotateKey(keyId: string, overlapS: number): Promise<IssuedKey>;
  revokeKey(keyId: string): Promise<void>;
  audit(before?: number): Promise<AuditPage>;
  /** The newest erasures that were asked for, from the audit trail. */
  erasures(): Promise<AuditEntry[]>;
  consent(ref: PersonRef): Promise<Consent>;
  setConsent(ref: PersonRef, consent: Partial<Consent>): Promise<Consent>;
  erase(ref: PersonRef): Promise<ErasureJob>;
  erasure(jobId: string): Promise<ErasureJob>;
  retention(): Promise<Retention>;
  inventory(): Promise<InventoryKind[]>;
  projects(): Promise<string[]>;
  stats(): Promise<Stats>;
  /** Persons and segments by how the id begins, items also by a word of the title. */
  search(text: string, limit?: number): Promise<SearchAnswer>;
  profile(ref: PersonRef): Promise<Profile>;
  /** Null removes one; those that are not named stay. */
  setAttributes(ref: PersonRef, attributes: Record<string, unknown>): Promise<Profile>;
  recommend(ref: PersonRef, placement: string, limit: number): Promise<RecommendationList>;
  /** A list before and after; the request as JSON. */
  preview(requestText: string): Promise<Preview>;
  slots(): Promise<Slot[]>;
  models(): Promise<ModelHealth>;
  experiments(): Promise<Experiment[]>;
  experiment(name: string): Promise<Experiment>;
  segments(): Promise<Segment[]>;
  segmentUsers(name: string, after?: string): Promise<SegmentUsers>;
  item(itemId: string): Promise<Item>;
  /** Those of the ids that the catalogue has, by id. */
  items(itemIds: readonly string[]): Promise<Map<string, Item>>;
  similar(itemId: string, limit: number): Promise<RecommendationList>;
  trending(limit: number): Promise<RecommendationList>;
  program(version?: number): Promise<TaggedProgram>;
  programVersions(): Promise<ProgramVersions>;
  checkProgram(documentText: string): Promise<{ ok: boolean; faults: ProgramFault[]; warnings: ProgramFault[] }>;
  /** @param tag - of the program that this one was made of: where another came since, nothing changes (`program_changed`). */
  putProgram(documentText: string, tag: string): Promise<{ version: number; tag: string }>;
  /** @param tag - of the program that the version is to take the place of, as of `putProgram`. */
  rollbackProgram(version: number, tag: string): Promise<{ version: number }>;
  /** @param filter - `code`, `user_id`, `anonymous_id`; a page may then be short or empty and not be the last. */
  deadLetters(filter: Record<string, string>, before?: string): Promise<DeadLetters>;
  /** Sends the kept event again, or `correctedText` in its place. An event that is still bad is an answer, not an error. */
  retryDeadLetter(id: string, correctedText?: string): Promise<IntakeAnswer>;
}

/** A person's part of a path: the contract's `users/{user_id}` or `visitors/{anonymous_id}`. */
export function personPath(ref: PersonRef): readonly [string, string] {
  return ref.user_id !== undefined ? ["users", ref.user_id] : ["visitors", ref.anonymous_id ?? ""];
}

export function createApi(project: string): Api {
  const get = <Answer>(path: string, query: Record<string, string> = {}): Promise<Answer> => {
    const search = new URLSearchParams(query).toString();
    return send<Answer>(project, search === "" ? path : `${path}?${search}`, {});
  };
  const post = <Answer>(path: string, body?: string, method = "POST", headers = {}): Promise<Answer> =>
    send<Answer>(project, path, {
      method,
      ...(body === undefined ? {} : { body, headers: { "content-type": "application/json", ...headers } }),
    });
  const person = (ref: PersonRef): string => personPath(ref).map(encodeURIComponent).join("/");

  return {
    project,
    streamUrl: (path, query) => `${path}?${new URLSearchParams({ project, ...query }).toString()}`,
    session: () => get("/v1/session"),
    logIn: (key) => post("/v1/session", JSON.stringify({ key })),
    logOut: async () => {
      const answer = await post<{ logout_url?: string } | undefined>("/v1/session", undefined, "DELETE");
      return answer?.logout_url;
    },
    keys: async () => (await get<{ keys: Key[] }>("/v1/keys")).keys,
    makeKey: (request) => post("/v1/keys", JSON.stringify(request)),
    rotateKey: (keyId, overlapS) => post(`/v1/keys/${keyId}/rotate`, JSON.stringify({ overlap_s: overlapS })),
    revokeKey: (keyId) => post(`/v1/keys/${keyId}`, undefined, "DELETE"),
    audit: (before) => get("/v1/audit", { limit: "100", ...(before === undefined ? {} : { before: String(before) }) }),
    erasures: async () => {
      const actions = ["DELETE /v1/privacy/users/{user_id}", "DELETE /v1/privacy/visitors/{anonymous_id}"];
      const pages = await Promise.all(actions.map((action) => get<AuditPage>("/v1/audit", { action, limit: "10" })));
      return pages.flatMap(({ entries }) => entries).sort((a, b) => b.seq - a.seq).slice(0, 10);
    },
    consent: (ref) => get(`/v1/privacy/${person(ref)}/consent`),
    setConsent: (ref, consent) => post(`/v1/privacy/${person(ref)}/consent`, JSON.stringify(consent), "PUT"),
    erase: (ref) => post(`/v1/privacy/${person(ref)}`, undefined, "DELETE"),
    erasure: (jobId) => get(`/v1/privacy/jobs/${encodeURIComponent(jobId)}`),
    retention: () => get("/v1/privacy/retention"),
    inventory: async () => (await get<{ kinds: InventoryKind[] }>("/v1/privacy/inventory")).kinds,
    projects: async () => (await get<{ projects: string[] }>("/v1/projects")).projects,
    stats: () => get("/v1/stats"),
    search: (text, limit = 8) => get("/v1/search", { q: text, limit: String(limit) }),
    profile: (ref) => get(`/v1/${person(ref)}/profile`),
    setAttributes: (ref, attributes) => post(`/v1/${person(ref)}/profile`, JSON.stringify({ attributes }), "PATCH"),
    recommend: (ref, placement, limit) =>
      get("/v1/recommendations", { ...refQuery(ref), placement, limit: String(limit), explain: "1" }),
    preview: (requestText) => post("/v1/recommendations/preview", requestText),
    models: () => get<ModelHealth>("/v1/models"),
    slots: async () => (await get<{ slots: Slot[] }>("/v1/slots")).slots,
    experiments: async () => (await get<{ experiments: Experiment[] }>("/v1/experiments")).experiments,
    experiment: (name) => get(`/v1/experiments/${encodeURIComponent(name)}`),
    segments: async () => (await get<{ segments: Segment[] }>("/v1/segments")).segments,
    segmentUsers: (name, after) =>
      get(`/v1/segments/${encodeURIComponent(name)}/users`, { limit: "50", ...(after === undefined ? {} : { after }) }),
    item: (itemId) => get(`/v1/items/${encodeURIComponent(itemId)}`),
    items: async (itemIds) => {
      const ids = [...new Set(itemIds)].filter((id) => !id.includes(",")).slice(0, ITEMS_PER_LOOKUP_MAX);
      if (ids.length === 0) return new Map();
      const { items } = await get<{ items: Item[] }>("/v1/items", { ids: ids.join(",") });
      return new Map(items.map((item) => [item.item_id, item]));
    },
    similar: (itemId, limit) => get(`/v1/items/${encodeURIComponent(itemId)}/similar`, { limit: String(limit) }),
    trending: (limit) => get("/v1/trending", { limit: String(limit) }),
    program: async (version) => {
      const response = await answerOf(project, `/v1/program${version === undefined ? "" : `?version=${version}`}`, {});
      return { ...(await bodyOf<Program>(response)), tag: tagOf(response) };
    },
    programVersions: () => get("/v1/program/versions"),
    checkProgram: (documentText) => post("/v1/program/check", documentText),
    putProgram: async (documentText, tag) => {
      const headers = { "content-type": "application/json", "if-match": tag };
      const response = await answerOf(project, "/v1/program", { method: "PUT", body: documentText, headers });
      return { ...(await bodyOf<{ version: number }>(response)), tag: tagOf(response) };
    },
    rollbackProgram: (version, tag) => post("/v1/program/rollback", JSON.stringify({ version }), "POST", { "if-match": tag }),
    deadLetters: (filter, before) =>
      get("/v1/dead-letters", { limit: "50", ...filter, ...(before === undefined ? {} : { before }) }),
    retryDeadLetter: (id, correctedText) => retry(project, id, correctedText),
  };
}

export function refQuery(ref: PersonRef): Record<string, string> {
  return ref.user_id !== undefined ? { user_id: ref.user_id } : { anonymous_id: ref.anonymous_id ?? "" };
}

async function retry(project: string, id: string, correctedText: string | undefined): Promise<IntakeAnswer> {
  const init =
    correctedText === undefined ? {} : { body: correctedText, headers: { "content-type": "application/json" } };
  const response = await answerOf(project, `/v1/dead-letters/${encodeURIComponent(id)}/retry`, {
    method: "POST",
    ...init,
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (isIntakeAnswer(body)) return body;
  throw problemOf(response, body);
}

function isIntakeAnswer(body: unknown): body is IntakeAnswer {
  return typeof body === "object" && body !== null && "rejected" in body && Array.isArray(body.rejected);
}

async function send<Answer>(project: string, path: string, init: RequestInit): Promise<Answer> {
  return bodyOf<Answer>(await answerOf(project, path, init));
}

async function bodyOf<Answer>(response: Response): Promise<Answer> {
  const body: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw problemOf(response, body);
  return body as Answer;
}

function tagOf({ headers }: Response): string {
  return headers.get("etag") ?? "*";
}

async function answerOf(project: string, path: string, init: RequestInit): Promise<Response> {
  const askedMs = Date.now();
  try {
    const response = await fetch(path, {
      ...init,
      headers: { accept: "application/json", ...init.headers, "attune-project": project },
    });
    nodeClock.hear(response.headers.get("date"), askedMs, Date.now());
    return response;
  } catch (cause) {
    throw new ApiProblem({ status: 0, code: "unreachable", message: "The node does not answer.", cause });
  }
}

function problemOf(response: Response, body: unknown): ApiProblem {
  const problem = (typeof body === "object" && body !== null ? body : {}) as {
    code?: string;
    title?: string;
    detail?: string;
    faults?: ProgramFault[];
  };
  return new ApiProblem({
    status: response.status,
    code: problem.code ?? "internal",
    message: problem.detail ?? problem.title ?? `The node answered ${response.status}.`,
    faults: problem.faults ?? [],
  });
}
