// What follows from what a person allows, from the program's default and from Global Privacy Control, in every combination:
// asked of whichever host is behind the door.
import { deepEqual, equal, ok } from "node:assert/strict";
import { ask } from "../../http/testing.ts";

export const BROWSER =
  "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
export const CHOICES = ["granted", "denied"] as const;
export type Choice = (typeof CHOICES)[number];

export interface ConsentNode {
  readonly url: string;
  /** The program's default. */
  readonly otherwise: Choice;
  /** Ids of the events that its log holds. */
  loggedIds(): Promise<string[]> | string[];
  /** Resolves when what was sent of this user is in his profile, if it ever will be. */
  settled(user: string): Promise<void> | void;
}

/** The program must have a placement `home`. @throws AssertionError where a combination does what it should not. */
export async function checkConsentTable(node: ConsentNode): Promise<void> {
  const { otherwise } = node;
  await ask(node, "PUT /v1/items", { items: [1, 2, 3].map((n) => ({ item_id: `i${n}`, title: `Item ${n}` })) });
  const said = [undefined, ...CHOICES.flatMap((a) => CHOICES.flatMap((b) => CHOICES.map((c) => [a, b, c] as const)))];
  let number = 0;
  for (const choice of said) {
    for (const gpc of [false, true]) {
      const user = `u${number++}`;
      if (choice !== undefined) {
        const [personalization, analytics, profiling] = choice;
        const body = { personalization, analytics, profiling, policy_version: "7" };
        equal((await ask(node, `PUT /v1/privacy/users/${user}/consent`, body)).status, 200);
      }
      const [personalization, analytics, profiling] = choice ?? [otherwise, otherwise, otherwise];
      const held = (await ask(node, `GET /v1/privacy/users/${user}/consent`)).json;
      deepEqual([held.personalization, held.analytics, held.profiling], [personalization, analytics, profiling]);
      equal(held.source, choice === undefined ? "default" : undefined);
      const headers = { "user-agent": BROWSER, ...(gpc ? { "sec-gpc": "1" } : {}) };
      const event = {
        event_id: `e${number}`,
        user_id: user,
        event_type: "view",
        item_id: "i1",
        timestamp: Date.now(),
      };
      const { status, json } = await ask(node, "POST /v1/events", event, { headers });
      const what = `default ${otherwise}, ${choice ?? "nothing said"}, GPC ${gpc}`;
      const isKept = analytics === "granted";
      equal(status, isKept ? 202 : 400, what);
      if (!isKept) equal(json.rejected[0].code, "no_consent", what);
      equal((await node.loggedIds()).includes(event.event_id), isKept, what);
      if (!isKept) {
        const twice = [JSON.stringify(event)];
        for (const broken of [{ ...event, event_type: "No Type" }, { ...event, user_id: undefined, userId: user }, twice]) {
          equal((await ask(node, "POST /v1/events", broken, { headers })).status, 400, what);
        }
        equal((await ask(node, "POST /v1/track", { userId: user, event: "Never Declared" }, { headers })).status, 200, what);
      }
      await node.settled(user);
      const profile = (await ask(node, `GET /v1/users/${user}/profile`)).json;
      const isProfiled = isKept && profiling === "granted" && !gpc;
      equal(profile?.recent?.length ?? 0, isProfiled ? 1 : 0, what);
      const list = await ask(node, `GET /v1/recommendations?user_id=${user}`, undefined, { headers });
      const isPersonal = isProfiled && personalization === "granted";
      equal(["blend", "history", "interests"].includes(list.json.strategy), isPersonal, `${what}: ${list.json.strategy}`);
      ok(list.json.items.length > 0, `${what}: a list for everybody`);
    }
  }
  equal((await ask(node, "GET /v1/dead-letters")).json.total, 0, "what may not be kept is not kept as a dead letter");
}
