// What a user agent says: who is sending (a visitor's browser, a program on behalf of visitors, a crawler), and on what device.
import Bowser from "bowser";
import { isbot, list } from "isbot";
import { RecentMap } from "../../hosting/recent-map.ts";

/**
 * `library`: an HTTP client in somebody's backend, which sends other people's events; not a bot, although lists of
 * bots name most of them. Nothing about a visitor follows from its address or its user agent.
 */
export type SenderKind = "browser" | "library" | "bot";

export interface UserAgentFacts {
  readonly kind: SenderKind;
  readonly device?: string;
  readonly os?: string;
  readonly browser?: string;
}

/** Clients that programs use to send HTTP, by how their user agent begins; load generators among them. */
const LIBRARIES = new RegExp(
  "^(node|undici|deno|bun|node-fetch|axios|got|superagent|ky|needle|curl|wget|httpie|xh|python|aiohttp|httpx|urllib3?|" +
    "go-http-client|go-resty|okhttp|java|apache-httpclient|jakarta|reactor-netty|ktor-client|ruby|faraday|rest-client|" +
    "typhoeus|guzzlehttp|php|symfony|dart|reqwest|hyper|ureq|libwww-perl|lwp|postman|insomnia|k6|autocannon|wrk|hey|" +
    "apachebench|jmeter|gatling|locust|vegeta|artillery|attune|analytics|segment|grpc-|tonic|connect-)",
  "i",
);
/**
 * The list's patterns that name somebody. The others say only that a text has not the form of a browser's (`shop/1.2`),
 * which holds for every backend that names itself; `http` alone is in the names of clients, a crawler gives its address.
 */
const NAMED = new RegExp(
  list
    .filter((pattern) => /[a-z]{3}/.test(pattern.replace(/\[[^\]]*\]|\\./g, "")))
    .map((pattern) => (pattern === "(?<!lib)http" ? "https?://" : pattern))
    .concat("^mozilla/", "^opera/") // Says to be a browser and is none.
    .join("|"),
  "i",
);
/** Browsers without a window: crawlers on the internet, but on this very machine somebody's own test. */
const HEADLESS = /headlesschrome|playwright|puppeteer|cypress/i;
const USER_AGENT_CHARS_MAX = 512;
const REMEMBERED_MAX = 2_000;

const remembered = new RecentMap<UserAgentFacts>(REMEMBERED_MAX);

/** @param local - the request comes from this machine. */
export function readUserAgent(userAgent: string | undefined, sender: { local: boolean }): UserAgentFacts {
  if (userAgent === undefined || userAgent === "") return { kind: "library" };
  const text = userAgent.slice(0, USER_AGENT_CHARS_MAX);
  const key = sender.local ? `l${text}` : text;
  let facts = remembered.get(key);
  if (facts === undefined) remembered.set(key, (facts = parse(text, sender.local)));
  return facts;
}

function parse(text: string, local: boolean): UserAgentFacts {
  if (LIBRARIES.test(text)) return { kind: "library" };
  const headlessHere = local && HEADLESS.test(text);
  if (!headlessHere && isbot(text)) return { kind: NAMED.test(text) ? "bot" : "library" };
  const { platform, os, browser } = Bowser.parse(text);
  return {
    kind: "browser",
    ...(platform.type ? { device: platform.type } : {}),
    ...(os.name ? { os: os.name } : {}),
    ...(browser.name ? { browser: browser.name } : {}),
  };
}
