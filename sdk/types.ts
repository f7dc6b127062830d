// The SDK's public types. This file imports nothing: the build copies it into the package as its declarations.

/** Fields of an event that the page gives; the SDK adds ids, session, time, page and context. */
export interface EventFields {
  item_id?: string;
  /** Seconds for `dwell`, money for `purchase`, stars for `rating`, depth 0–1 for `scroll`. */
  value?: number;
  context?: Record<string, string>;
  /** At most 64 keys, 5 deep, 16 KiB. */
  additional_data?: Record<string, unknown>;
}

/** An event as it goes over the wire and as `on("event")` shows it. */
export interface SentEvent extends EventFields {
  event_id: string;
  user_id?: string;
  anonymous_id: string;
  session_id: string;
  event_type: string;
  /** Event time by the visitor's clock, Unix ms. */
  timestamp: number;
  page_url?: string;
}

export interface Reason {
  source: string;
  because: string[];
  weight: number;
  /** Whose favourite the item is, strongest first, such as `country:NO`. */
  crowds?: string[];
}

export interface CatalogueItem {
  item_id: string;
  title: string;
  categories: string[];
  tags: string[];
  price?: number;
  image_url?: string;
  url?: string;
  available?: boolean;
  published_at?: string;
  attributes?: Record<string, unknown>;
}

export interface RecommendedItem {
  item_id: string;
  score: number;
  rank: number;
  reasons?: Reason[];
  /** With `reasons`: the same in one short sentence for whoever reads the list. */
  reason_text?: string;
  item?: CatalogueItem;
}

/** The newest event behind a pushed change; absent where time, the program or the catalogue alone changed it. */
export interface CausedBy {
  event_id: string;
  received_at: string;
}

export interface RecommendationList {
  decision_id: string;
  /** null for an anonymous visitor. */
  user_id: string | null;
  anonymous_id?: string;
  profile_version: number;
  placement: string;
  strategy: string;
  items: RecommendedItem[];
  took_ms?: number;
  /** The visitor's variant of each experiment that the list carries out. */
  experiments?: Record<string, string>;
  /** The visitor could not be found for the moment: what everybody gets. */
  degraded?: boolean;
  caused_by?: CausedBy;
}

export interface RecommendOptions {
  placement?: string;
  limit?: number;
  /** The item that the page is about. */
  item_id?: string;
  exclude?: string[];
  /** CEL over the item. */
  filter?: string;
  /** With `reasons`: the sources and the visitor's own items behind each. */
  explain?: boolean;
  context?: Record<string, string>;
}

/** What a slot's variant may change; anything else in it is the page's own and only handed on. */
export interface SlotPayload {
  /** Written as `data-attune-NAME` attributes of the slot's element. */
  attributes?: Record<string, string>;
  /** CSS custom properties (`--…`) of the slot's element. */
  variables?: Record<string, string>;
  /** The element's text, or the texts of its `[data-attune-text=KEY]` descendants. */
  text?: string | Record<string, string>;
  [own: string]: unknown;
}

export interface Decision {
  decision_id: string;
  slot: string;
  variant: string | null;
  payload: SlotPayload | null;
  propensity: number;
  reason?: string;
  /** The visitor's variant of each experiment that the decision carries out. */
  experiments?: Record<string, string>;
  /** The visitor could not be found for the moment: what somebody unknown gets. */
  degraded?: boolean;
}

/** The contract's profile. */
export interface Profile {
  /** null for an anonymous visitor. */
  user_id: string | null;
  anonymous_ids: string[];
  version: number;
  /** ISO 8601; null where nothing was recorded yet. */
  updated_at: string | null;
  attributes: Record<string, unknown>;
  /** Shares of the positive interest in categories, 0–1. */
  interests: Record<string, number>;
  /** The same by tag. */
  interest_tags: Record<string, number>;
  /** Newest first, at most 50. */
  recent: { item_id: string; event_type: string; timestamp: string; value?: number }[];
  /** null where a value is not finite: `recency_s` of somebody who never did anything. */
  features: Record<string, number | string | null>;
  session: Record<string, unknown> | null;
  segments: string[];
  /** As last seen, with the visitor's own `hour` (0–23) and `weekday` (0 is Sunday). */
  context: Record<string, string | number>;
  /** By purpose; null where nobody was asked. */
  consent: Record<string, string> | null;
  /** Interactions by UTC day, the last 30 that had any. */
  activity?: { date: string; interactions: number }[];
  /** May be older than it should be for the moment, or empty. */
  degraded?: boolean;
  caused_by?: CausedBy;
}

/** What the live connection keeps pushing, besides profile, segments and triggers. */
export interface Subscription {
  placements: string[];
  limit?: number;
  /** The item that the page is about. */
  item_id?: string;
  explain?: boolean;
  exclude?: string[];
}

export interface SegmentsChange {
  segments: string[];
  entered: string[];
  left: string[];
  caused_by?: CausedBy;
}

export interface TriggerFired {
  name: string;
  item_id?: string;
  fired_at?: string;
  caused_by?: CausedBy;
}

/** How the SDK stands: what a status line on the page would show. */
export interface Status {
  consent: "granted" | "denied" | "pending";
  /** `off` until something is listened to or subscribed. */
  live: "off" | "connecting" | "open" | "waiting";
  transport?: "websocket" | "sse";
  online: boolean;
  /** Events that the server has not confirmed yet. */
  queued: number;
}

/**
 * Something that did not go as asked. `too_old`, `queue_full`: the queue gave an event up. `network`, `server`: will be
 * tried again. Other codes are the server's; its refusal of an event is final.
 */
export interface SdkError {
  code: string;
  message: string;
  event?: SentEvent;
}

/** After each batch that the server answered. */
export interface Delivery {
  accepted: number;
  duplicates: number;
  rejected: number;
  event_ids: string[];
  took_ms: number;
}

export interface Listeners {
  profile: (profile: Profile) => void;
  segments: (change: SegmentsChange) => void;
  trigger: (trigger: TriggerFired) => void;
  recommendations: (list: RecommendationList) => void;
  /** A slot's decision was applied to the page. */
  decision: (decision: Decision) => void;
  status: (status: Status) => void;
  /** An event was put into the queue. */
  event: (event: SentEvent) => void;
  delivery: (delivery: Delivery) => void;
  error: (error: SdkError) => void;
}

/** What is captured without a line of code; each can be switched off. */
export interface AutoCapture {
  page_view?: boolean;
  click?: boolean;
  scroll?: boolean;
  hover?: boolean;
  mouse_move?: boolean;
  dwell?: boolean;
  search?: boolean;
  impression?: boolean;
}

export interface AttuneOptions {
  /** Where the attune server is: its origin, with the path that a proxy has it under; the page's origin by default. */
  endpoint?: string;
  project?: string;
  /** The project's write key; on a node without keys none is needed. */
  key?: string;
  /** The token by which your backend says who the visitor is; asked for at each request, so it may change. */
  userToken?: () => string | undefined;
  /** `required` (default): nothing is stored or sent before `consent.grant()`. `granted`: until `consent.deny()`. */
  consent?: "required" | "granted";
  /** Global Privacy Control counts as a denial, unless the site answers for it: `ignore`. */
  gpc?: "honour" | "ignore";
  /** Capture without code; true is everything. */
  auto?: boolean | AutoCapture;
  /** Fill `[data-attune-slot]` elements and keep them up to date. */
  slots?: boolean;
  /** How long events that are not weighty may wait for company; 2,000 ms. */
  flushMs?: number;
}

export interface Attune {
  /** 128 random bits; undefined without consent. */
  readonly anonymousId: string | undefined;
  readonly userId: string | undefined;
  readonly sessionId: string | undefined;
  readonly status: Status;

  /** Queues an event and returns its `event_id`; undefined without consent. */
  track(eventType: string, fields?: EventFields): string | undefined;
  /** A new page (SPA): `page_view`, and a `view` of its item. With auto capture, history changes call it. */
  page(fields?: { item_id?: string; url?: string }): void;
  /** The visitor opened an item: `view`; dwell counts for it until the next `view` or `page`. Null: closed again. */
  view(itemId: string | null): void;
  /** From now on events carry `userId` too; the anonymous profile becomes part of the user's. Attributes are set on the profile. */
  identify(userId: string, attributes?: Record<string, unknown>): void;
  /** Signed out, or another visitor at this device: new anonymous id, new session, no user. */
  reset(): void;

  /** Rejects with an Error whose `code` is `consent_required`, `network` or the server's. */
  recommend(options?: RecommendOptions): Promise<RecommendationList>;
  decide(slot: string, context?: Record<string, string>): Promise<Decision>;
  /** Undefined where the server knows nobody yet. */
  profile(): Promise<Profile | undefined>;
  /** Lists that are pushed to `on("recommendations")` now and whenever they change; replaces the subscription before. */
  subscribe(subscription: Subscription): void;

  /** Returns how to stop listening. Live names open the live connection, which tells a name's first listener how things are. */
  on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): () => void;
  readonly consent: {
    readonly state: Status["consent"];
    grant(): void;
    /** Stops everything and removes what was stored: ids, session, queue. */
    deny(): void;
  };

  /** Sends what waits now; resolves when the server has answered or the try has failed. */
  flush(): Promise<void>;
  /** Ends capture and the live connection; the queue stays for the next page. */
  close(): void;
}
