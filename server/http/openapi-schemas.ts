// The shapes of the public JSON, as JSON Schema 2020-12 (what OpenAPI 3.1 uses).
import { BUILT_IN_EVENT_TYPES } from "../../core/event/event.ts";
import { PROGRAM_SCHEMAS } from "./openapi-program.ts";
import { PROBLEMS } from "./problem.ts";

export type Schema = Record<string, unknown>;

const id = (description: string): Schema => ({ type: "string", minLength: 1, maxLength: 128, description });
const label: Schema = { type: "string", minLength: 1, maxLength: 128 };
const text = (description: string, maxLength?: number): Schema => ({ type: "string", description, ...(maxLength && { maxLength }) });
const number = (description: string): Schema => ({ type: "number", description });
const integer = (description: string): Schema => ({ type: "integer", description });
const time = (description: string): Schema => ({ type: "string", format: "date-time", description });
const list = (items: Schema, description?: string): Schema => ({ type: "array", items, ...(description && { description }) });
const object = (properties: Record<string, Schema>, required: readonly string[] = [], description?: string): Schema => ({
  type: "object",
  ...(description && { description }),
  properties,
  ...(required.length > 0 && { required: [...required] }),
});
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const placementLimit: Schema = {
  type: "integer", minimum: 1, maximum: 200, default: 20, description: "Where it is missing, the placement's `limit`; 20 where that is missing too.",
};
const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
const open = (description: string): Schema => ({ type: "object", additionalProperties: true, description });

const instant: Schema = {
  anyOf: [{ type: "string", format: "date-time" }, { type: "number" }],
  description: "ISO 8601 with a zone, or Unix ms.",
};

const KEY_FIELDS: Record<string, Schema> = {
  key_id: text("Names the key; says nothing about it."),
  project: text("The only project that it opens."),
  role: { enum: ["write", "read", "operator", "admin"] },
  name: text("What it is for."),
  state: { enum: ["in_force", "expired", "revoked"] },
  created_at: time("When it was made."),
  expires_at: { type: ["string", "null"] },
  revoked_at: { type: ["string", "null"] },
  scopes: list({ type: "string" }),
  origins: list({ type: "string" }),
};

const CONTEXT_FIELDS: Record<string, Schema> = {
  device: text("`desktop`, `mobile`, `tablet` …"),
  os: text("Operating system."),
  browser: text("Browser."),
  locale: text("BCP 47, such as `de-AT`."),
  timezone: text("Offset, such as `+02:00`, from which the visitor's hour and weekday are told; an IANA name counts as UTC there."),
  country: text("ISO 3166-1 alpha-2."),
  region: text("Region or state."),
  referrer: text("Where the visitor came from."),
  weather: text("The weather, when the site knows it."),
  variant: text("The variant that was shown."),
  decision_id: text("The list or decision that led to the event."),
};

export const SCHEMAS: Record<string, Schema> = {
  Event: object(
    {
      event_id: {
        type: "string",
        minLength: 1,
        maxLength: 64,
        description: "The idempotency key within its person; given by the server (UUIDv7) where it is missing.",
      },
      user_id: id("This or `anonymous_id` is required."),
      anonymous_id: id("An event that carries both ids links the two: the profiles become one."),
      session_id: id("A gap of 30 minutes starts a session where it is missing."),
      event_type: {
        type: "string",
        pattern: "^[a-z][a-z0-9_]{0,63}$",
        description: `Built in: ${BUILT_IN_EVENT_TYPES.join(", ")}; or one that the program declares.`,
      },
      timestamp: { ...instant, description: "Event time: ISO 8601 with a zone, or Unix ms; not more than 5 minutes ahead, not older than 30 days." },
      sent_at: { ...instant, description: "The sender's clock when it sent; timestamps are moved by its difference to the server's." },
      page_url: text("The page's URL.", 2048),
      item_id: id("The item acted on, here or in `additional_data.item_id`."),
      value: number("Seconds for `dwell`, money for `purchase`, stars for `rating`, depth 0-1 for `scroll`."),
      context: ref("Context"),
      additional_data: open("At most 64 keys, 5 deep, 16 KiB. Unknown top-level fields are kept here."),
    },
    ["event_type", "timestamp"],
    "One thing that a visitor did.",
  ),
  Context: object(
    CONTEXT_FIELDS,
    [],
    "The visitor's surroundings. Device, operating system, browser and country are filled in where they are missing.",
  ),
  ProfileContext: object(
    { ...CONTEXT_FIELDS, hour: integer("The visitor's, 0-23; in UTC where the time zone is not known."), weekday: integer("The visitor's, 0 (Sunday) to 6.") },
    [],
    "What the events last said of the visitor's surroundings, and what time it is there.",
  ),
  IntakeAnswer: object(
    {
      accepted: integer("Events that are now on disk, counted once, and in the profile."),
      duplicates: integer("Events known already; they changed nothing."),
      rejected: list(
        object(
          {
            index: integer("Place in the batch, from 0."),
            event_id: text("The event's id, where it had one."),
            code: text("Stable code of the fault; all of them stand in the API reference under Refused events."),
            path: text("JSON pointer into the event."),
            message: text("What is wrong, for people."),
          },
          ["index", "code", "path", "message"],
        ),
        "Each is kept as a dead letter, but for `no_consent`: whoever denies `analytics` leaves nothing behind.",
      ),
    },
    ["accepted", "duplicates", "rejected"],
  ),
  Problem: object(
    {
      type: text("A reference to the code's entry in the API reference."),
      title: text("The code in words."),
      status: integer("The HTTP status."),
      code: { type: "string", enum: Object.keys(PROBLEMS), description: "Stable." },
      detail: text("What happened and what to do."),
      parameter: text("The parameter at fault."),
      pointer: text("JSON pointer into the body."),
      faults: list(ref("Fault")),
    },
    ["type", "title", "status", "code", "detail"],
    "RFC 9457.",
  ),
  RejectedEvents: { allOf: [ref("Problem"), ref("IntakeAnswer")], description: "A problem that says what became of each event." },
  Fault: object(
    {
      path: text("JSON pointer."),
      code: text("Stable code."),
      message: text("What is wrong and what to do."),
      position: integer("Where in the expression, from 0."),
    },
    ["path", "code", "message"],
  ),
  Item: object(
    {
      item_id: id("The item's id."),
      title: text("Shown to visitors.", 512),
      categories: { ...list(label), maxItems: 64 },
      tags: { ...list(label), maxItems: 64 },
      price: { type: "number", minimum: 0, description: "Money." },
      image_url: text("URL or path of a picture.", 2048),
      url: text("URL or path of the item's page.", 2048),
      available: { type: "boolean", description: "False: never recommended." },
      published_at: {
        anyOf: [...instant["anyOf"] as Schema[], { type: "string", format: "date" }],
        description: "ISO 8601 with a zone, Unix ms, or a day, which begins at midnight UTC.",
      },
      attributes: open("Anything else that filters may read, at most 16 KiB."),
    },
    ["item_id"],
  ),
  Profile: object(
    {
      user_id: nullable(id("null for an anonymous visitor.")),
      anonymous_ids: list({ type: "string" }, "Anonymous ids linked to the person."),
      version: integer("Grows with each change."),
      updated_at: nullable(time("When the last change was made.")),
      attributes: open("What the site has set."),
      interests: { type: "object", additionalProperties: { type: "number" }, description: "Category → share of the positive interest." },
      interest_tags: { type: "object", additionalProperties: { type: "number" }, description: "The same by tag." },
      recent: list(
        object({ item_id: id("Item."), event_type: text("What was done."), timestamp: time("Event time."), value: number("The event's value.") }),
        "Newest first, at most 50.",
      ),
      features: {
        type: "object",
        description:
          "`recency_s`: whole seconds since the last interaction, null where there was none; `frequency`: interactions in 10 minutes; `diversity`: how evenly the last 50 interactions with items spread over categories, 0-1; `velocity`: rate of 5 minutes over that of an hour, 12 at most; `engagement`: decayed sum of event weights; `dwell_s`: seconds dwelt in all; `scroll_depth`: mean depth of all scrolls; `interactions` in all; and the program's own. The analyst's guide says how each is counted.",
        additionalProperties: true,
      },
      session: nullable(open("The open session: id, started_at, duration_s, events, page_views, bounce …")),
      segments: list({ type: "string" }),
      context: ref("ProfileContext"),
      consent: nullable(open("Consent by purpose.")),
      activity: list(open("{date, interactions}"), "Interactions by UTC day, the last 30 that had any."),
      degraded: { type: "boolean", description: "A part of the cluster is away: this may be older than it should be, or empty." },
    },
    ["version", "attributes", "interests", "recent", "features", "segments"],
  ),
  Consent: object(
    {
      user_id: id("The user."),
      anonymous_id: id("The visitor."),
      personalization: { enum: ["granted", "denied"], description: "Lists and slots follow the profile." },
      analytics: { enum: ["granted", "denied"], description: "Events are kept." },
      profiling: { enum: ["granted", "denied"], description: "Events shape the profile, segments and models." },
      source: text("Where the choice was made; `default` where nobody was asked."),
      policy_version: text("The text that was agreed to."),
    },
    ["personalization", "analytics", "profiling"],
  ),
  ErasureJob: object(
    {
      job_id: { type: "string" },
      status: { enum: ["running", "done", "failed"], description: "What does not succeed at once is tried again until it does, so that none is `failed` yet." },
      proof: {
        type: "object",
        description:
          "Once done: when, how many records of the log were erased, how many segments were written anew, whether their old keys were destroyed, from how many records the state was derived anew, and how many of the person's a reading of the whole log found afterwards. In a cluster: how many ids, what Redis and the models still hold of the person, how many records were taken out of each topic and how many are left, and `is_complete` where none is.",
      },
    },
    ["job_id", "status"],
  ),
  Inventory: object(
    {
      kinds: list(
        object(
          {
            kind: { type: "string" },
            title: { type: "string" },
            where: text("In which files."),
            fields: list(
              object(
                {
                  field: { type: "string" },
                  class: {
                    enum: ["identifier", "personal", "behaviour", "inference", "content", "statistics", "technical", "secret"],
                  },
                  purpose: { type: "string" },
                  retention: text("The setting that says how long, or why none is needed."),
                  kept: text("How long, as it is in force."),
                  in_export: { type: "boolean" },
                  encrypted: { anyOf: [{ type: "boolean" }, { enum: ["hashed"] }], description: "Where encryption is on." },
                },
                ["field", "class", "purpose", "retention", "kept", "in_export", "encrypted"],
              ),
              "Its fields.",
            ),
          },
          ["kind", "title", "where", "fields"],
        ),
        "Kinds of data.",
      ),
    },
    ["kinds"],
  ),
  Retention: object(
    {
      policy: list(
        object({ kind: { type: "string" }, age: text("`90d`, or `forever`."), about: { type: "string" } }, ["kind", "age", "about"]),
        "Each setting.",
      ),
      last_run: {
        type: ["object", "null"],
        description: "When retention last ran since the node was started, and what went: persons, refused events, records, bytes.",
      },
    },
    ["policy", "last_run"],
  ),
  ConsentRequest: object({
    personalization: { enum: ["granted", "denied"] },
    analytics: { enum: ["granted", "denied"] },
    profiling: { enum: ["granted", "denied"] },
    source: text("Where the choice was made."),
    policy_version: text("The text that was agreed to."),
    tcf: text("A TC string (IAB TCF 2)."),
  }),
  KeyRequest: object(
    {
      role: { enum: ["write", "read", "operator", "admin"], description: "`write` keys are public; the others are secret." },
      name: text("What it is for."),
      life_s: { type: "integer", minimum: 1, description: "Seconds; without, until it is revoked." },
      scopes: list({ enum: ["collect", "own", "browse", "read", "operate", "admin"] }, "Only part of what the role grants."),
      origins: list({ type: "string" }, "Pages that may use it, scheme and host as browsers send it; any where it is missing."),
    },
    ["role", "name"],
  ),
  Key: object(KEY_FIELDS, ["key_id", "project", "role", "name", "state", "created_at"]),
  IssuedKey: object({ ...KEY_FIELDS, key: text("Shown this once.") }, ["key_id", "key"]),
  Session: object(
    {
      kind: { enum: ["open", "key", "session", "nobody"], description: "`open`: the node has no keys." },
      id: text("As the audit trail names it."),
      role: { type: ["string", "null"] },
      project: { type: ["string", "null"], description: "The only one that it opens; null: every one." },
      provider: { type: ["string", "null"], description: "The identity provider's name, where people log in with one." },
    },
    ["kind", "id"],
  ),
  AuditEntry: object(
    {
      seq: { type: "integer", description: "1, 2, 3 … without a gap." },
      at: time("When."),
      project: text("In which project."),
      actor: text("A key's id, `open` on a node without keys, `system`."),
      action: text("The route, as this document names it."),
      subject: text("Keyed hash of the person concerned."),
      details: open("What else the action names."),
      previous: text("Hash of the entry before."),
      hash: text("SHA-256 of this one."),
    },
    ["seq", "at", "project", "actor", "action", "previous", "hash"],
  ),
  RecommendationRequest: object({
    user_id: id("This or `anonymous_id` is required."),
    anonymous_id: id("The visitor."),
    placement: { type: "string", default: "home" },
    limit: placementLimit,
    item_id: id("The item of the page."),
    exclude: { ...list({ type: "string" }, "Items to leave out, such as those on the pages before."), maxItems: 1_000 },
    filter: text("CEL over the item.", 4096),
    rules: ref("ListRules"),
    why_not: { ...list({ type: "string" }, "Items about which it is asked why they are not in the list; needs a read key."), maxItems: 20 },
    explain: { anyOf: [{ type: "boolean" }, { enum: [0, 1] }], default: false },
    context: ref("Context"),
  }),
  PreviewRequest: object(
    {
      user_id: id("The person; without this and `anonymous_id`, a new visitor."),
      anonymous_id: id("The visitor."),
      placement: { type: "string", default: "home" },
      limit: { type: "integer", minimum: 1, maximum: 200, description: "The placement's own where it is missing." },
      item_id: id("The item of the page."),
      exclude: { ...list({ type: "string" }, "Items to leave out, such as those on the pages before."), maxItems: 1_000 },
      filter: text("CEL over the item.", 4096),
      context: ref("Context"),
      why_not: { ...list({ type: "string" }, "Items about which it is asked why they are not in the list."), maxItems: 20 },
      change: object(
        {
          placement: open("A placement's document, in the place of the program's: the draft that would be saved."),
          rules: ref("ListRules"),
          context: ref("Context"),
          attributes: open("Attributes that the person would have."),
          events: { ...list(object({ event_type: text("A type that the program knows."), item_id: id("The item."), value: number("As in an event.") }, ["event_type"]), "Had the person done this as well, just now."), maxItems: 20 },
          without: { ...list({ type: "string" }, "Had the person never met these items. Windows, features and segments stay as they are."), maxItems: 50 },
        },
        [],
        "How `after` differs from `before`.",
      ),
    },
    [],
    "Whose list, and what would be different.",
  ),
  PreviewList: object(
    {
      strategy: text("How the list came about."),
      ranker: text("`mix`, `calibrated`, or the model whose own order serves."),
      items: list(
        object(
          {
            item_id: id("The item."),
            rank: integer("From 1."),
            score: number("Only comparable within the list."),
            reason_text: text("For whoever reads the list."),
            reasons: list(open("{source, because, weight, crowds?}")),
            account: open("{model_rank, model_score, sources, effects, factors, score, score_rank, placed?}: what the models and the rules made of it."),
            item: ref("Item"),
          },
          ["item_id", "rank", "score"],
        ),
      ),
    },
    ["strategy", "ranker", "items"],
  ),
  Preview: object(
    {
      user_id: id("As asked."),
      anonymous_id: id("As asked."),
      placement: text("The placement."),
      personalized: { type: "boolean", description: "False where the person does not allow that lists follow them." },
      before: ref("PreviewList"),
      after: ref("PreviewList"),
      moves: list(
        object({ item_id: id("The item."), from: nullable(integer("Rank before.")), to: nullable(integer("Rank after.")), why: text("The rule or the reason.") }, ["item_id", "from", "to", "why"]),
        "Items of either list, in the order of the one after.",
      ),
      why_not: list(object({ item_id: id("The item."), before: open("{status, text, …}"), after: open("{status, text, …}"), item: ref("Item") }, ["item_id", "before", "after"])),
      degraded: { type: "boolean", description: "A part of the cluster is away." },
      took_ms: number("Time of the answer."),
    },
    ["placement", "personalized", "before", "after", "moves", "why_not"],
  ),
  ListRules: object(
    {
      filter: text("CEL over the item: only items for which it holds."),
      boost: list(object({ when: text("CEL over the item."), by: number("Factor on the score, 0 to 100.") }, ["when", "by"])),
      pin: list(
        object({ item: id("The item."), when: text("Instead: CEL; the best item for which it holds."), at: integer("Position, from 1.") }, ["at"]),
        "Items that stand at a position whatever their score.",
      ),
      cap: list(
        object({ by: text("`category`, `categories`, `tags` or `attributes.NAME`."), max: integer("Items with the same value.") }, ["by", "max"]),
        "How many items of one kind the list may hold.",
      ),
      frequency: object(
        { shows: integer("An item shown this often and not opened since has had its turn."), window: text("Such as `1d`."), by: number("Factor on its score; 0, the default, leaves it out.") },
        ["shows", "window"],
      ),
      freshness: object({ weight: number("Share of a score that age takes away, 0 to 1."), half_life: text("Such as `12h`.") }, ["weight", "half_life"]),
      diversity: number("0: by score alone. 1: as different as possible."),
      exclude: list({ enum: ["purchased", "seen", "dismissed", "session"] }),
      purchased_for: text("How long a purchase counts for `exclude`."),
    },
    [],
    "A placement's rules, added to what the placement of the program says; of what there is only one of, these count.",
  ),
  RecommendationList: object(
    {
      why_not: list(open("{item_id, status, text, …}"), "With `why_not`: why each of these items is not in the list."),
      decision_id: text("Later events carry it in `context.decision_id`."),
      user_id: nullable(id("As asked; null for an anonymous visitor, and where the list is for everybody.")),
      anonymous_id: id("As asked."),
      profile_version: integer("The profile's version that the list was made from."),
      placement: text("The placement."),
      strategy: text("How the list came about."),
      items: list(
        object(
          {
            item_id: id("The item."),
            score: number("Only comparable within the list."),
            rank: integer("From 1."),
            reason_text: text("With `explain`: the reasons in one short sentence for whoever reads the list."),
            reasons: list(
              object({
                source: text("The model."),
                because: list({ type: "string" }, "The visitor's own items behind it."),
                weight: number("Share of the chances that all models give the item."),
                crowds: list({ type: "string" }, "Of `context` and `daypart`: whose favourite the item is, strongest first, such as `country:NO`."),
              }),
              "With `explain`: the three strongest at most, each of a hundredth or more, so that the weights add up to 1 or less.",
            ),
            item: ref("Item"),
          },
          ["item_id", "score", "rank"],
        ),
      ),
      degraded: { type: "boolean", description: "The visitor could not be found because a part of the cluster is away: this is what everybody gets." },
      took_ms: number("Time in the server."),
      experiments: { type: "object", additionalProperties: { type: "string" }, description: "The visitor's variant of each experiment that this carries out; empty where a list mixes both rankings." },
    },
    ["decision_id", "user_id", "profile_version", "placement", "strategy", "items", "took_ms"],
  ),
  DecideRequest: object({ user_id: id("The user."), anonymous_id: id("Or the visitor."), slot: text("The slot.", 128), context: ref("Context") }, ["slot"]),
  Decision: object(
    {
      decision_id: text("Later events carry it."),
      slot: text("The slot."),
      variant: nullable(text("The variant's name; null where no rule and no default fits.")),
      payload: { description: "What the program attaches to the variant." },
      propensity: number("Probability of this very choice, 0-1."),
      reason: text("Who decided: `rule:INDEX`, `default`, a policy, `shadow:POLICY`, `experiment:NAME` or `holdout`."),
      experiments: { type: "object", additionalProperties: { type: "string" }, description: "The visitor's variant of each experiment that this carries out." },
      degraded: { type: "boolean", description: "The visitor could not be found because a part of the cluster is away: this is what is decided for somebody unknown." },
    },
    ["decision_id", "slot", "variant", "payload", "propensity", "reason"],
  ),
  Interval: object({ low: number("Lower end."), high: number("Upper end.") }, ["low", "high"], "Holds at every moment with the stated confidence."),
  ValueEstimate: object({ value: number("The estimate."), low: number("Lower end."), high: number("Upper end.") }, ["value", "low", "high"]),
  OffPolicy: object(
    {
      choices: integer("Logged choices behind it."),
      effective_sample_size: number("Equally weighted choices that would say as much; those that a visitor was shown in one visit count together."),
      refused: nullable(object({ code: { enum: ["too_few", "no_overlap"] }, reason: text("Why there is no estimate.") }, ["code", "reason"])),
      ips: nullable(ref("ValueEstimate")),
      snips: nullable(ref("ValueEstimate")),
      doubly_robust: nullable(ref("ValueEstimate")),
    },
    ["choices", "effective_sample_size", "refused", "ips", "snips", "doubly_robust"],
    "What always choosing this would have brought, from the log of what was chosen.",
  ),
  Slot: object(
    {
      name: text("Name."),
      description: text("In words."),
      policy: { enum: ["rules", "epsilon_greedy", "thompson", "squarecb", "linucb"] },
      rules: integer("How many rules come before the policy."),
      default: nullable(text("The variant where nothing else decides.")),
      shadow: { type: "boolean", description: "Decides and logs, but shows the default." },
      variants: list({ type: "string" }),
      learning: nullable(open("{reward_max, window_s, exploration, shown, reward, left_out, updated_at}; null where rules alone decide.")),
      arms: list(
        object({
          variant: text("The variant."),
          shown: integer("How often it was shown."),
          reward: number("What came of it."),
          mean: nullable(number("Mean reward.")),
          share: number("Probability with which it is shown now, in the shadow with which it would be; of a policy that sees the visitor, to one of whom nothing is known."),
          off_policy: ref("OffPolicy"),
        }),
        "Empty where rules alone decide.",
      ),
    },
    ["name", "policy", "variants", "learning", "arms"],
  ),
  Experiment: object(
    {
      name: text("Name."),
      run: text("Which definition the numbers belong to; another one starts from nothing."),
      started_at: time("When this definition came into force."),
      updated_at: time("When the numbers last changed."),
      primary: text("The metric that decides."),
      control: text("The variant that others are compared with."),
      window_s: number("How long after a person's first exposure their events count."),
      covariate: text("What was known before and is adjusted for."),
      holdout: { type: "boolean", description: "Compares everything personal with nothing personal." },
      interleave: nullable(text("The placement whose lists mix two rankings.")),
      confidence: number("With which all intervals of a metric hold, at every moment at once."),
      users: integer("Persons who saw a variant."),
      sample_ratio: object({ ok: { type: "boolean" }, p_value: number("Valid at any time.") }, ["ok", "p_value"], "Whether the variants get the shares of people that were promised."),
      mixed: integer("Persons who turned out to be one, with two variants: they count for the one that was seen first."),
      left_out: integer("How often it was seen by somebody new whose address had brought more than its share (`models.crowd.max_share`) of the persons."),
      guards: list(object({ metric: text("The metric."), worse_by: number("Share of control's mean.") })),
      metrics: list(object({ name: text("Name."), kind: text("Kind."), better: { enum: ["higher", "lower"] } })),
      variants: list(ref("ExperimentVariant")),
      interleaving: nullable(open("{wins, ties, share, interval}: which ranking's items were clicked more, list by list.")),
      history: list(open("{at, users, means, lows, highs} of the primary metric, each by variant."), "Oldest first, at most 128."),
    },
    ["name", "run", "started_at", "updated_at", "primary", "control", "users", "sample_ratio", "variants", "history"],
  ),
  ExperimentVariant: object(
    {
      name: text("Name."),
      control: { type: "boolean" },
      share: number("Share of the people, 0-1."),
      assigned: integer("Persons who were given the variant."),
      users: integer("Persons who saw it."),
      exposures: integer("How often it was seen."),
      conversions: nullable(number("Persons who did what the primary metric (or the first that is a rate) counts.")),
      lift: nullable(number("Of the primary metric over control's; 0.1 is 10 % more.")),
      interval: nullable(ref("Interval")),
      stopped: nullable(open("{at, metric, interval}: a guard has stopped it; its people get control. The interval is null where control's mean was too near 0 for a lift.")),
      metrics: { type: "object", additionalProperties: true, description: "By metric: mean, interval, total, lift, lift_interval, difference, difference_interval, explained." },
      off_policy: ref("OffPolicy"),
    },
    ["name", "control", "users", "exposures", "conversions", "lift", "interval", "off_policy"],
  ),
  Segment: object(
    {
      name: text("Name."),
      description: text("In words."),
      when: text("CEL; of a learned one, which group it is."),
      size: integer("Members now."),
      learned: open("Of one that a training found: `family`, `method`, `trained_at`, `persons` of the sample, and `distinctions`: `{column, mean, of_all}`, strongest first."),
    },
    ["name", "when", "size"],
  ),
  ModelHealth: object(
    {
      hours: list(time("When the hour began."), "Oldest first, at most 72; hours without a judged step are left out."),
      steps: list(integer("Judged steps of each hour."), "As `hours`."),
      models: list(open("`name`, `state` (on, off), `hit_rate` at 20 over all hours, `series` by hour; `served` is what visitors got."), "Each ranker."),
      calibration: open("`promised`: mean chance of the first candidate; `came`: share that it was; and both by hour in `series`."),
      background: open("`since`, `verdict` (worse, good, unknown), `now` and `before`: `{steps, hit_rate}`."),
      watched: list(open("`metric`, its `mean`, and the `steps` over which it has had one."), "What drift is looked for in."),
      alarms: list(open("`metric`, `at`, its mean `before` and `after`."), "Newest last, at most 32."),
    },
    ["hours", "steps", "models", "calibration", "background", "watched", "alarms"],
  ),
  PersonRef: object({ user_id: id("The user."), anonymous_id: id("Or the visitor.") }),
  ...PROGRAM_SCHEMAS,
  DeadLetter: object(
    {
      id: text("The letter's id."),
      at: time("When it was refused."),
      code: text("Stable code of the fault: that of a refused event, `bad_json` or an item's fault in a file, `traits_not_kept` and `products_not_kept` of a Segment call, `webhook_failed`, in a cluster `quarantined_…`."),
      path: text("JSON pointer into the event."),
      message: text("What is wrong."),
      source: text("`http`, `live`, `grpc`, `segment`, `import FILE:LINE`, `webhook TRIGGER`, `webhook alert`, in a cluster `job …`."),
      body: { description: "What was sent." },
    },
    ["id", "at", "code", "path", "message", "source", "body"],
  ),
  Stats: open("Totals, rates of the last ten seconds, latency percentiles of the last minute by route, queue, log, checkpoint, live connections, webhooks, and `series`: ten minutes of history, a point every five seconds."),
  Subscribe: object(
    {
      subscribe: object({
        user_id: id("The user."),
        anonymous_id: id("Or the visitor."),
        placements: { ...list({ type: "string" }, "Lists to be kept fresh."), maxItems: 8 },
        limit: placementLimit,
        item_id: id("The item of the page."),
        exclude: list({ type: "string" }),
        explain: { type: "boolean" },
      }),
      id: text("Repeated by the answer."),
    },
    ["subscribe"],
  ),
  LiveMessage: object(
    {
      type: { enum: ["hello", "ack", "profile", "segments", "trigger", "recommendations", "error"] },
      at: time("The server's clock when it was sent."),
      caused_by: object({ event_id: text("The newest event behind the change."), received_at: time("When it came in.") }),
    },
    ["type", "at"],
    "`profile` and `recommendations` carry the fields of the routes of that name; `segments`: segments, and what was entered and left since the connection was last told of them (nothing, the first time); `trigger`: name, item_id, fired_at; `ack`: what was subscribed or what became of the events.",
  ),
};

/** Fields of the Segment tracking protocol, with what they become. */
export const SEGMENT_FIELDS: Record<string, Schema> = {
  batch: list(open("A call, with its `type`: track, page, screen, identify, alias or group."), "At most 1,000."),
  writeKey: text("The write key, where no header can be set."),
  messageId: text("The event's idempotency key."),
  userId: text("`user_id`."),
  anonymousId: text("`anonymous_id`."),
  previousId: text("The anonymous id that the user had."),
  groupId: text("The attribute `group_id`."),
  timestamp: { ...instant, description: "Event time; when it came, where it is missing." },
  sentAt: { ...instant, description: "The sender's clock when it sent." },
  context: open("page, locale, timezone, device, os, location, campaign, app, userAgent; `ip` for the country alone, never kept."),
  event: text("Ecommerce names become built-in types; another name in snake case is the type, which the program declares."),
  name: text("Of the page or screen."),
  category: text("Of the page."),
  properties: open("`product_id` (or `sku`) → `item_id`, `price`, `quantity`, `value` → `value`; `products`: an event for each."),
  traits: open("Attributes of the profile; nested ones are joined by underscores."),
};
