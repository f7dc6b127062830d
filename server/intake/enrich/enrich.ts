// Adds to a validated event what its sender's connection says, once: device, country, the mark of machine traffic.
// What the event says itself always wins. The address itself never reaches the event.
import type { AttuneEvent, EventContext, LoggedEvent } from "../../../core/event/event.ts";
import type { SenderMarks } from "../../../core/record.ts";
import type { ReadAddress } from "./addresses.ts";
import { watchPatterns } from "./patterns.ts";
import { markSources } from "./sources.ts";
import { readUserAgent, type SenderKind } from "./user-agent.ts";

export interface Connection {
  address: string;
  userAgent: string | undefined;
  /** The `Sec-GPC` header. */
  gpc?: string | string[] | undefined;
  /** Shows a secret key: a server of the site's own, which speaks for many visitors. */
  isTrusted?: boolean;
}

/** Who sends, as his connection shows. Made once a request or once a socket. */
export interface Sender {
  readonly kind: SenderKind;
  /** The browser asks not to be profiled (`Sec-GPC: 1`, Global Privacy Control). */
  readonly asksPrivacy?: boolean;
  readonly context: EventContext;
  /** Mark of the address that is answerable for the events. */
  readonly source?: string;
}

/** What a dead letter keeps of who sent it; nothing where nothing follows from it. */
export function marksOf({ kind, asksPrivacy, source }: Sender): { sender?: SenderMarks } {
  const marks: SenderMarks = {
    ...(kind === "bot" && { isBot: true }),
    ...(asksPrivacy === true && { asksPrivacy }),
    ...(source !== undefined && { source }),
  };
  return Object.keys(marks).length === 0 ? {} : { sender: marks };
}

/** Who is answerable for a letter's event, and nothing else of his connection. */
export function senderOfMarks({ isBot, ...marks }: SenderMarks): Sender {
  return { kind: isBot === true ? "bot" : "library", context: {}, ...marks };
}

export interface Enricher {
  sender(connection: Connection): Sender;
  enrich(event: AttuneEvent, sender: Sender, receivedAtMs: number): LoggedEvent;
}

export function createEnricher(readAddress: ReadAddress): Enricher {
  const patterns = watchPatterns();
  const markOf = markSources();
  return {
    sender({ address, userAgent, gpc, isTrusted = false }) {
      const { local, listed, country, network } = readAddress(address);
      const { kind, device, os, browser } = readUserAgent(userAgent, { local });
      if (listed) return { kind: "bot", context: {} };
      const source = network === undefined || isTrusted ? {} : { source: markOf(network) };
      if (kind !== "browser") return { kind, context: {}, ...source };
      const context: EventContext = {};
      if (device !== undefined) context.device = device;
      if (os !== undefined) context.os = os;
      if (browser !== undefined) context.browser = browser;
      if (country !== undefined) context.country = country;
      return gpc === "1" ? { kind, context, asksPrivacy: true, ...source } : { kind, context, ...source };
    },
    enrich(event, sender, receivedAtMs) {
      const logged = event as LoggedEvent;
      logged.received_at = receivedAtMs;
      if (sender.source !== undefined) logged.source = sender.source;
      if (sender.kind === "library") return logged;
      if (sender.kind === "bot") {
        logged.traffic = "bot";
        return logged;
      }
      // Only for browsers: a backend sends many visitors' events in bulk, often with one timestamp for all.
      if (patterns.isSuspicious(event)) logged.traffic = "suspicious";
      logged.context = event.context === undefined ? { ...sender.context } : { ...sender.context, ...event.context };
      return logged;
    },
  };
}
