// The models in plain words, wherever the console names one. A name that is not here is shown as it is.
interface ModelWords {
  /** Why an item is there, with nothing to point at. */
  readonly alone: string;
  /** The same before the items that it points at. */
  readonly because: string;
  /** What the model is, for the hover. */
  readonly about: string;
}

export const MODEL_WORDS: Readonly<Record<string, ModelWords>> = {
  popularity: { alone: "popular now", because: "popular now", about: "what most people choose at the moment" },
  popular: { alone: "popular now", because: "popular now", about: "no model proposed it: what most people choose" },
  trend: { alone: "trending", because: "trending", about: "what is chosen more than it usually is" },
  steady: { alone: "a lasting favourite", because: "a lasting favourite", about: "what has been chosen for long, whatever is popular this week" },
  rules: { alone: "often next", because: "often next after", about: "what others went on to, some steps after these items" },
  next: { alone: "often the very next", because: "often the very next after", about: "what others opened directly after this item" },
  recent: { alone: "next, lately", because: "lately next after", about: "what others went on to lately, within three steps" },
  cosine: { alone: "goes with the items seen", because: "goes with", about: "items that the same visits share" },
  walk: {
    alone: "goes with what goes with the items seen",
    because: "goes with what goes with",
    about: "two steps from item to item, for those that were never seen together",
  },
  knn: {
    alone: "chosen in sessions like this one",
    because: "chosen in sessions with",
    about: "k nearest neighbours: what past sessions most like this one held besides",
  },
  repeats: { alone: "comes back to it", because: "comes back to", about: "how likely a visitor goes back to what was seen before" },
  content: { alone: "like the items seen", because: "like", about: "the same categories, tags and words of the title" },
  background: {
    alone: "fits the whole history",
    because: "fits what was seen:",
    about: "item-to-item weights, trained in the background over all sessions",
  },
  factors: {
    alone: "fits the visitor's taste",
    because: "fits a taste for",
    about: "matrix factorisation: tastes that are learnt with every step, and the items that suit them",
  },
  context: {
    alone: "popular with visitors like this one",
    because: "popular with visitors like this one",
    about: "what visitors with the same country, device or weather choose",
  },
  daypart: { alone: "popular at this time of day", because: "popular at this time of day", about: "what is chosen at this time of day" },
  history: { alone: "from the visitor's own history", because: "because of", about: "what the visitor did before" },
  newest: { alone: "just published", because: "just published", about: "no model proposed it: it is among the newest items" },
  other: { alone: "fills the list", because: "fills the list", about: "no model proposed it, and it is not new: it fills the list" },
  exploration: { alone: "new here, being tried", because: "new here, being tried", about: "a place of the list that tries items nobody has seen much" },
  pinned: { alone: "pinned by the program", because: "pinned by the program", about: "a pin of the placement put it there" },
  served: { alone: "the list as served", because: "the list as served", about: "what visitors were shown: all models together" },
  mix: { alone: "all models, mixed", because: "all models, mixed", about: "all models' proposals, by weights that are learnt with every step" },
  calibrated: { alone: "all models, calibrated", because: "all models, calibrated", about: "all models' proposals, by how often each place of a model's list came true" },
};

/** For a `title`: nothing where the name is not known. */
export function aboutModel(name: string): string | undefined {
  return MODEL_WORDS[name]?.about;
}
