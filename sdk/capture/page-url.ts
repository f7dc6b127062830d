// A page's address as it may be sent: cleaned in the browser already, so that secrets do not travel; the server cleans on.
import { EMAIL, URL_PARAMETERS } from "../../core/event/url-parameters.ts";

const URL_MAX = 2_048;

/** Without credentials, fragment, unknown parameters and e-mail addresses; without its query where it is too long. */
export function pageUrl(href: string): string {
  const url = new URL(href);
  url.hash = url.username = url.password = "";
  for (const name of [...url.searchParams.keys()]) {
    if (!URL_PARAMETERS.has(name.toLowerCase())) url.searchParams.delete(name);
  }
  if (url.href.length > URL_MAX) url.search = "";
  return url.href.replace(EMAIL, "-").slice(0, URL_MAX);
}
