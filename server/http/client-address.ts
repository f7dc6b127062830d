// Who is at the other end when proxies stand between: their headers are believed only where the operator named them.
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import ipaddr from "ipaddr.js";

export interface ClientAddress {
  /** The sender's address. */
  of(request: IncomingMessage): string;
  /** The same by the other end of a connection and what `X-Forwarded-For` says. */
  behind(peer: string, forwarded: string | undefined): string;
  /** The host that the sender asked for. */
  host(request: IncomingMessage): string;
  /** Whether the sender's side is encrypted. */
  isSecure(request: IncomingMessage): boolean;
}

/**
 * @param trustedProxies - CIDR ranges or addresses. @throws Error naming the entry that is neither.
 * @param onUnnamed - told of the first request that says for whom it is forwarded and comes from none of them.
 */
export function clientAddress(trustedProxies: readonly string[], onUnnamed?: () => void): ClientAddress {
  let isTold = false;
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

  function behind(peer: string, forwarded: string | undefined): string {
    if (forwarded === undefined) return peer;
    if (!isTrusted(peer)) {
      if (!isTold) onUnnamed?.();
      isTold = true;
      return peer;
    }
    let address = peer;
    // From the nearest proxy outwards: the first that is not ours is the sender.
    const hops = forwarded.split(",").map((hop) => withoutPort(hop.trim()));
    while (isTrusted(address) && hops.length > 0) address = hops.pop()!;
    return address;
  }

  return {
    behind,
    of: ({ socket, headers }) => behind(socket.remoteAddress ?? "", headers["x-forwarded-for"] as string | undefined),
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

/** Some proxies write the sender's port as well: `192.0.2.1:50112`, `[2001:db8::1]:50112`. */
function withoutPort(hop: string): string {
  const [, v6, v4] = /^(?:\[(.+)\]|([\d.]+))(?::\d+)?$/.exec(hop) ?? [];
  return v6 ?? v4 ?? hop;
}
