// From an event to a changed list on the page: under 2,000 events a second, one visitor at a time acts, and the time is
// taken until the push that names his event. After each 202 the very next answer must know the event.
import { WebSocket } from "ws";
import { agentOf, percentile, send, sendPaced } from "./load.ts";
import { printTable } from "./table.ts";
import { startAttune } from "./target.ts";
import { traffic } from "./traffic.ts";

const ITEMS = 10_000;
const EVENTS_A_SECOND = 2_000;
const EVENTS_A_REQUEST = 20;
const SECONDS = 20;
const CLICKS = 500;
const CLICK_EVERY_MS = 30;

export async function freshness(): Promise<void> {
  const attune = await startAttune();
  const shop = traffic({ seed: 3, persons: 5_000, items: ITEMS });
  const body = (): Buffer => Buffer.from(JSON.stringify({ events: shop.events(EVENTS_A_REQUEST) }));
  const background = sendPaced(
    attune.url,
    { method: "POST", path: "/v1/events", body },
    {
      perSecond: EVENTS_A_SECOND / EVENTS_A_REQUEST,
      seconds: SECONDS,
    },
  );
  const sentAt = new Map<string, number>();
  const pushedMs: number[] = [];
  const socket = new WebSocket(`${attune.url.replace("http", "ws")}/v1/live`);
  await new Promise((resolve) => socket.once("open", resolve));
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as { type: string; caused_by?: { event_id: string } };
    const sent = message.type === "recommendations" ? sentAt.get(message.caused_by?.event_id ?? "") : undefined;
    if (sent !== undefined) pushedMs.push(performance.now() - sent);
  });
  socket.send(JSON.stringify({ subscribe: { user_id: "watched", placements: ["home"] } }));
  const agent = agentOf(2);
  let stale = 0;
  for (let n = 0; n < CLICKS; n++) {
    const eventId = `click-${n}`;
    const event = {
      event_id: eventId,
      user_id: "watched",
      event_type: "click",
      timestamp: Date.now(),
      item_id: `item-${1 + n}`,
    };
    sentAt.set(eventId, performance.now());
    await send(
      attune.url,
      agent,
      { method: "POST", path: "/v1/events", body: () => Buffer.from(JSON.stringify(event)) },
      0,
    );
    const profile = await send(attune.url, agent, { method: "GET", path: "/v1/users/watched/profile" }, 0);
    const { recent } = JSON.parse(profile.body) as { recent: { item_id: string }[] };
    if (recent[0]?.item_id !== event.item_id) stale++;
    await new Promise((resolve) => setTimeout(resolve, CLICK_EVERY_MS));
  }
  await background;
  socket.close();
  await attune.stop();
  pushedMs.sort((a, b) => a - b);
  console.log(
    `${CLICKS} clicks under ${EVENTS_A_SECOND} events/s, lists of 20 over ${ITEMS} items pushed over a WebSocket`,
  );
  printTable(
    ["pushed lists", "p50 ms", "p99 ms", "answers after a 202 that did not know the event"],
    [[pushedMs.length, percentile(pushedMs, 0.5), percentile(pushedMs, 0.99), stale]],
  );
}
