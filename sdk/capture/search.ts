// What the visitor searches for.

const QUERY_MAX = 200;
/** Names of query parameters that hold a search, in order. */
const PARAMETERS = ["q", "query", "search", "s"];

/** The search that a results page's address names. */
export function queryOf(url: string): string | undefined {
  const parameters = new URL(url).searchParams;
  return PARAMETERS.map((name) => parameters.get(name)).find((query) => query) ?? undefined;
}

export interface Searches {
  /** The query to report: tidied, and not the one reported before (typing, submitting and the results page are one search). */
  searched(text: string): string | undefined;
}

export function createSearches(): Searches {
  let last = "";
  return {
    searched(text) {
      const query = text.trim().replace(/\s+/g, " ").slice(0, QUERY_MAX);
      if (query.length < 2 || query.toLowerCase() === last) return undefined;
      last = query.toLowerCase();
      return query;
    },
  };
}
