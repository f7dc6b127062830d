// Persons as this server finds them: in the near cache, else in Redis. Profiles are kept as bytes and decoded for each
// answer, because an answer brings its own copy to now. Changes that the servers tell each other keep the cache right.
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import type { Consent, PersonRef } from "../../core/record.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { ChangeMessage, ProfileStore } from "../redis/profile-store.ts";
import { isNewer, type ProfileValue, type ValueVersion } from "../wire/profile.ts";
import type { Erasures } from "./erasures.ts";

/** Profiles kept, about 1.5 kB each; twice as many at most. */
const PROFILES_MAX = 20_000;
/** Anonymous ids whose users, or lack of one, are kept. */
const LINKS_MAX = 50_000;
/** Keys whose newest version is kept: a read on its way is much shorter than these last. */
const VERSIONS_MAX = 50_000;

/** What somebody has just said holds here at once; by then the job has made it part of his row. */
const SAID_MS = 600_000;
const SAID_MAX = 10_000;

export interface Found {
  /** The canonical key, as far as is known. */
  readonly key: string;
  readonly profile: ProfileValue | undefined;
  /** The answer may be out of date or empty because a part is away or still being filled. */
  readonly isDegraded: boolean;
}

export class People {
  #store: ProfileStore;
  readonly #profiles = new RecentMap<ProfileValue>(PROFILES_MAX);
  /** Anonymous key → user's key; null: belongs to nobody. */
  readonly #links = new RecentMap<string | null>(LINKS_MAX);
  readonly #versions = new RecentMap<ValueVersion>(VERSIONS_MAX);
  readonly #said = new RecentMap<{ consent: Consent; untilMs: number }>(SAID_MAX);
  #refusedLastMs = -Infinity;
  readonly #onLink: (anonKey: string, userKey: string) => void;
  readonly #erasures: Erasures;

  /** @param onLink - told of each link that this server learns. */
  constructor(store: ProfileStore, erasures: Erasures, onLink: (anonKey: string, userKey: string) => void) {
    this.#store = store;
    this.#erasures = erasures;
    this.#onLink = onLink;
  }

  get cached(): number {
    return this.#profiles.size;
  }

  /** The key by what is in memory. */
  keyNow(ref: PersonRef): string {
    if (ref.user_id !== undefined) return userKeyOf(ref.user_id);
    const anonKey = anonymousKeyOf(ref.anonymous_id!);
    return this.#links.get(anonKey) ?? anonKey;
  }

  /** The user that an anonymous id belongs to; undefined: nobody, or nobody can say. Never rejects. */
  async userOf(anonymousId: string): Promise<string | undefined> {
    const anonKey = anonymousKeyOf(anonymousId);
    const known = this.#links.get(anonKey);
    if (known !== undefined) return known ?? undefined;
    const { profile, isDegraded } = await this.#read(anonKey);
    if (profile === undefined && !isDegraded) this.#links.set(anonKey, null);
    return this.#links.get(anonKey) ?? undefined;
  }

  /** The person of a ref. Never rejects: without Redis it is what is in memory. */
  async find(ref: PersonRef): Promise<Found> {
    const key = this.keyNow(ref);
    const found = await this.#read(key);
    if (found.profile?.signpost === undefined) return { key, ...found };
    const userKey = found.profile.signpost;
    return { key: userKey, ...(await this.#read(userKey)) };
  }

  /** What he has said on whether his events may be kept; `isKnown` is false where Redis would have to say it. Never rejects. */
  async analyticsOf(key: string): Promise<{ said: Consent["analytics"] | undefined; isKnown: boolean }> {
    const now = this.saidNow(key);
    if (now !== undefined) return { said: now.analytics, isKnown: true };
    const { profile, isDegraded } = await this.#read(key);
    return { said: profile?.analytics, isKnown: profile !== undefined || !isDegraded };
  }

  /** Somebody has said within the last minutes that his events must not be kept. */
  get mayRefuse(): boolean {
    return performance.now() - this.#refusedLastMs < SAID_MS;
  }

  /** What he has said within the last minutes, on whichever server. */
  saidNow(key: string): Consent | undefined {
    const said = this.#said.get(key);
    return said !== undefined && performance.now() < said.untilMs ? said.consent : undefined;
  }

  /** It is in the log; it holds from now on, and not only when the job has read it. */
  say(key: string, consent: Consent): void {
    if (consent.analytics === "denied") this.#refusedLastMs = performance.now();
    this.#said.set(key, { consent, untilMs: performance.now() + SAID_MS });
  }

  /** The link is in the log: from now on the anonymous id stands for the user. */
  link(anonKey: string, userKey: string): void {
    if (this.#links.get(anonKey) === userKey) return;
    this.#links.set(anonKey, userKey);
    this.#profiles.delete(anonKey);
    this.#onLink(anonKey, userKey);
  }

  /** They were erased, or not seen for too long: nobody knows them from now on. */
  erase(keys: readonly string[]): void {
    for (const key of keys) for (const map of [this.#profiles, this.#links, this.#versions, this.#said]) map.delete(key);
  }

  /** Takes in what another server told; false where it was known already, or something newer is. */
  heard({ key, sequence, asOfMs, signpost }: ChangeMessage): boolean {
    if (this.#erasures.covers(key, asOfMs)) return false;
    const known = this.#versions.get(key);
    if (known !== undefined && !isNewer({ sequence, asOfMs }, known)) return false;
    this.#versions.set(key, { sequence, asOfMs });
    this.#profiles.delete(key);
    if (signpost !== undefined) this.link(key, signpost);
    return true;
  }

  /** Changes may have been missed: what is kept is not to be trusted. */
  forget(): void {
    this.#profiles.clear();
    this.#links.clear();
  }

  /** Reads from another store from now on (a backfill has taken over). */
  moveTo(store: ProfileStore): void {
    this.#store = store;
    this.#versions.clear();
    this.forget();
  }

  async #read(key: string): Promise<Omit<Found, "key">> {
    const { link } = this.#store;
    const cached = this.#profiles.get(key);
    if (cached !== undefined) return { profile: cached, isDegraded: !link.isCurrent };
    try {
      let { profile: found, isWhole } = await this.#store.get(key);
      // It may have been read just before it was written.
      if (this.#isOutdated(key, found)) ({ profile: found, isWhole } = await this.#store.get(key));
      // A row of before an erasure is nobody's, whoever wrote it back.
      const profile = found !== undefined && this.#erasures.covers(key, found.asOfMs) ? undefined : found;
      const isDegraded = !isWhole || !link.isCurrent || this.#isOutdated(key, found);
      if (profile !== undefined) this.#keep(key, profile);
      return { profile, isDegraded };
    } catch {
      // The link counts the fault; the visitor gets what there is without it.
      return { profile: undefined, isDegraded: true };
    }
  }

  /** Something newer was told of: of a Redis that was away, or refused to be written to, rows come behind. */
  #isOutdated(key: string, profile: ProfileValue | undefined): boolean {
    const known = this.#versions.get(key);
    return known !== undefined && (profile === undefined || isNewer(known, profile));
  }

  /** A row that was read while a newer one was told of is not kept. */
  #keep(key: string, profile: ProfileValue): void {
    if (this.#isOutdated(key, profile)) return;
    this.#profiles.set(key, profile);
    if (key.startsWith("a:")) {
      if (profile.signpost === undefined) this.#links.set(key, null);
      else this.link(key, profile.signpost);
    }
  }
}
