/** So long without an event, and who comes back begins another session; everywhere, the SDK's sessions too. */
export const SESSION_GAP_MS = 30 * 60_000;
