// What may stay of an address's query; apart from the cleaning, because the browser's half of it must be small.

/** Query parameters whose values are kept: campaigns, searches, places in a list, the look of a page. */
export const URL_PARAMETERS: ReadonlySet<string> = new Set(
  (
    "utm_source utm_medium utm_campaign utm_term utm_content q query search s page p sort order tab section category cat " +
    "tag type brand color size price item item_id product product_id sku variant lang locale country ref"
  ).split(" "),
);

/** E-mail addresses in a path or a query. */
export const EMAIL = /[^\s/?#&=;,:]{1,64}(?:@|%40)[^\s/?#&=;,:@]{1,255}\.[a-z]{2,24}/gi;
