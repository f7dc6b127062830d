// The event types that every program accepts (core/event/event.ts); a program may declare more.
export const BUILT_IN_EVENT_TYPES: readonly string[] = [
  "page_view",
  "view",
  "click",
  "scroll",
  "hover",
  "mouse_move",
  "dwell",
  "search",
  "add_to_cart",
  "remove_from_cart",
  "purchase",
  "like",
  "dislike",
  "dismiss",
  "impression",
  "rating",
];
