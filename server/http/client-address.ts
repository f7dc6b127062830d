// Who is at the other end when proxies stand between: their headers are believed only where the operator named them.
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import ipaddr from "ipaddr.js";

export interface ClientAddress {
  /** The sender's address. */
  of(request: IncomingMessage): string;
  /** The host that the sender asked for. */
  host(request: IncomingMessage): string;
  /** Whether the sender's side is encrypted. */
  isSecure(request: IncomingMessage): boolean;
}

/** @param trustedProxies - CIDR ranges or addresses. @throws Error naming the entry that is neither. */
export function clientAddress(trustedProxies: readonly string[]): ClientAddress {
  const ranges = trustedProxies.map((entry) => {
    try {
      return ipaddr.parseCIDR(entry.includes("/") ? entry : `${entry}/${entry.includes(":") ? 128 : 32}`);
    } catch (cause) {
      throw new Error(`"${entry}" is not an address or a CIDR range such as 10.0.0.0/8`, { cause });
    }
  });

  function isTrusted(text: string): boolean {
    if (ranges.length === 0 || !ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  }

  return {
    of(request) {
      let address = request.socket.remoteAddress ?? "";
      const forwarded = ranges.length === 0 ? undefined : request.headers["x-forwarded-for"];
      if (forwarded === undefined) return address;
      // From the nearest proxy outwards: the first that is not ours is the sender.
      const hops = String(forwarded).split(",").map((hop) => hop.trim());
      while (isTrusted(address) && hops.length > 0) address = hops.pop()!;
      return address;
    },
    isSecure(request) {
      const forwarded = request.headers["x-forwarded-proto"];
      if ((request.socket as Partial<TLSSocket>).encrypted === true) return true;
      return forwarded === "https" && isTrusted(request.socket.remoteAddress ?? "");
    },
    host(request) {
      const forwarded = request.headers["x-forwarded-host"];
      const isProxy = forwarded !== undefined && isTrusted(request.socket.remoteAddress ?? "");
      return (isProxy ? String(forwarded).split(",", 1)[0]! : request.headers.host ?? "").trim();
    },
  };
}
