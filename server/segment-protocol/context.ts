// A message's `context` in attune's words. What cannot be kept is left out: a strange context must not lose the event.
import type { EventContext } from "../../core/event/event.ts";
import { isShortText } from "../../core/event/text.ts";
import { CONTEXT_LENGTH_MAX, URL_LENGTH_MAX } from "../../core/event/validate.ts";
import { objectOf, type Message } from "./message.ts";

/** `context.device.type` of the mobile SDKs, where it names the system instead of the kind of device. */
const DEVICE_OF_SYSTEM: Readonly<Record<string, string>> = { ios: "mobile", android: "mobile", iphone: "mobile" };

export function contextOf({ fields }: Message): EventContext {
  const context = objectOf(fields["context"]);
  const properties = objectOf(fields["properties"]);
  const device = short(objectOf(context["device"])["type"])?.toLowerCase();
  const place = objectOf(context["location"]);
  const referrer = objectOf(context["page"])["referrer"] ?? objectOf(context["referrer"])["url"];
  const found: Record<keyof EventContext, string | undefined> = {
    device: device === undefined ? undefined : (DEVICE_OF_SYSTEM[device] ?? device),
    os: short(objectOf(context["os"])["name"]),
    browser: undefined,
    locale: short(context["locale"]),
    timezone: short(context["timezone"]),
    country: countryOf(place["country"]),
    region: short(place["region"]),
    referrer: urlOf(referrer),
    weather: undefined,
    variant: undefined,
    // A list or a decision of attune's that led here: the site passes it on as a property.
    decision_id: short(properties["decision_id"]),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The page's address: the context's, or the call's own. */
export function pageUrlOf({ fields }: Message): string | undefined {
  return urlOf(objectOf(objectOf(fields["context"])["page"])["url"]) ?? urlOf(objectOf(fields["properties"])["url"]);
}

/** What attune has no field for, but filters and analysts ask for. */
export function dataOfContext({ fields }: Message): Record<string, unknown> {
  const context = objectOf(fields["context"]);
  const { name, version } = objectOf(context["app"]);
  const campaign = objectOf(context["campaign"]);
  const app = { ...(typeof name === "string" && { name }), ...(typeof version === "string" && { version }) };
  return {
    ...(Object.keys(campaign).length > 0 && { campaign }),
    ...(Object.keys(app).length > 0 && { app }),
  };
}

function short(value: unknown): string | undefined {
  return isShortText(value, CONTEXT_LENGTH_MAX) ? value : undefined;
}

function countryOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z]{2}$/i.test(value) ? value.toUpperCase() : undefined;
}

/** Written as a browser writes it; without its query where that makes it too long. */
function urlOf(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (isShortText(url.href, URL_LENGTH_MAX)) return url.href;
  url.search = url.hash = "";
  return isShortText(url.href, URL_LENGTH_MAX) ? url.href : undefined;
}
