// The person fold's door: state, its reducers, its bytes. Rules read a state through reading.ts, routes through view.ts.
export { adaptPerson } from "./adapt.ts";
export { decodePerson, encodePerson, viewOfPerson } from "./codec.ts";
export { foldEvent, newPerson, rememberNames, setAttributes } from "./fold.ts";
export { leaveOut } from "./without.ts";
export { isInteraction } from "./layout.ts";
export { mergePerson } from "./merge.ts";
export { emptyPerson, RECENT_MAX, type PersonState, type RecentItem } from "./state.ts";
