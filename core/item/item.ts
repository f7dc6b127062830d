// A catalogue item as `PUT /v1/items` takes it.

export interface Item {
  item_id: string;
  title?: string;
  categories: readonly string[];
  tags: readonly string[];
  price?: number;
  image_url?: string;
  url?: string;
  available?: boolean;
  /** Unix ms; ISO 8601 on the wire. */
  published_at?: number;
  attributes?: Readonly<Record<string, unknown>>;
}
