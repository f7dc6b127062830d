// What each kind of line of an export means: the first line of every export.

/** By `record`: what the line holds, why it is held, and where it comes from. */
export const DATA_DICTIONARY: Readonly<Record<string, string>> = {
  person:
    "Everything known and concluded about the person now: ids, attributes, interests, segments, features, the session, " +
    "recent items and activity. Concluded from the records below; null where nothing is.",
  consent: "What the person allows, by purpose; null where they were not asked and the site's default holds.",
  state:
    "The same person as stored: counts, times and weights behind the profile, field by field (`fields.person`). Times are " +
    "Unix ms, -1 and Infinity where there is none.",
  experiment: "The person's part in an experiment that runs: variant, since when, and what they did since, by metric (`fields.unit`).",
  event:
    "One thing that the person did, as it was received: `timestamp` is when, `received_at` when it arrived (Unix ms), " +
    "`traffic` marks what is counted for nothing. `event` can be sent to `POST /v1/events` as it is.",
  attributes: "What the site said about the person or what they consented to, with when it was said (Unix ms).",
  decision:
    "A list or a variant that the person was shown: its items in order, the strategy, the probability of the choice, and " +
    "their part in experiments.",
  dead_letter: "A refused event that names the person, with the reason.",
};
