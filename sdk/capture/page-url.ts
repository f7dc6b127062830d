// A page's address as it may be sent.

const URL_MAX = 2_048;
/** Parameters that hold secrets or persons; their values stay in the browser. */
const PRIVATE = /token|secret|password|passwd|auth|session|email|phone|signature|^code$|^key$|api_?key/i;

/** Without credentials, fragment and the values of private parameters; without its query where it is too long. */
export function pageUrl(href: string): string {
  const url = new URL(href);
  url.hash = url.username = url.password = "";
  for (const name of [...url.searchParams.keys()]) if (PRIVATE.test(name)) url.searchParams.set(name, "-");
  if (url.href.length > URL_MAX) url.search = "";
  return url.href.slice(0, URL_MAX);
}
