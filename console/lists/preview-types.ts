// What `POST /v1/recommendations/preview` takes and answers.
import type { Item, PersonRef, Reason } from "../api/types.ts";

/** A placement of the program, as far as the knobs know it. */
export interface Placement {
  description?: string;
  limit?: number;
  filter?: string;
  boost?: { when: string; by: number }[];
  pin?: { item?: string; when?: string; at: number }[];
  cap?: { by: string; max: number }[];
  frequency?: { shows: number; window: string; by?: number };
  freshness?: { weight: number; half_life: string };
  diversity?: number;
  exclude?: string[];
  purchased_for?: string;
}

export interface PreviewRequest extends PersonRef {
  placement: string;
  limit?: number;
  context?: Record<string, string>;
  why_not?: string[];
  change?: {
    placement?: Placement;
    context?: Record<string, string>;
    events?: { event_type: string; item_id?: string }[];
    without?: string[];
  };
}

export interface Account {
  model_rank: number | null;
  model_score: number | null;
  score: number | null;
  score_rank: number | null;
  sources: { source: string; rank: number; chance: number; because: string[] }[];
  effects: { name: string; effect: number }[];
  factors: { kind: string; rule?: string; by: number }[];
  placed?: string;
}

export interface PreviewItem {
  item_id: string;
  rank: number;
  score: number;
  reason_text: string;
  reasons: Reason[];
  account: Account;
  item?: Item;
}

export interface PreviewList {
  strategy: string;
  ranker: string;
  items: PreviewItem[];
}

export interface Move {
  item_id: string;
  from: number | null;
  to: number | null;
  why: string;
}

export interface Verdict {
  status: string;
  text: string;
  rule?: string;
  account?: Account;
}

export interface Preview {
  placement: string;
  personalized: boolean;
  before: PreviewList;
  after: PreviewList;
  moves: Move[];
  why_not: { item_id: string; item?: Item; before: Verdict; after: Verdict }[];
}
