// What holds where a program says nothing.

/** Weights of the built-in event types for a program without `events`. A guess: intent before attention. */
export const DEFAULT_WEIGHTS: Readonly<Record<string, number>> = {
  page_view: 0.2, view: 1, click: 1, scroll: 0.1, hover: 0.1, mouse_move: 0, dwell: 0.5, search: 0.5, add_to_cart: 5,
  remove_from_cart: -2, purchase: 10, like: 4, dislike: -3, dismiss: -2, impression: 0, rating: 2,
};

export const DEFAULT_INTEREST_HALF_LIFE = "7d";
export const DEFAULT_PLACEMENT_LIMIT = 20;
