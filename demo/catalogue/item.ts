// A catalogue item in the contract's form (`PUT /v1/items`), and what a picture needs to know beside it.

export type Site = "shop" | "news";

export interface DemoItem {
  item_id: string;
  title: string;
  categories: string[];
  tags: string[];
  price?: number;
  image_url: string;
  url: string;
  available: boolean;
  /** ISO 8601. */
  published_at: string;
  attributes: Record<string, unknown>;
}
