import { createHmac, timingSafeEqual } from "node:crypto";

/** The header's value: `t=UNIX_SECONDS,v1=HEX`, an HMAC-SHA256 over `t.BODY`, so that an old delivery cannot be replayed. */
export function signature(secret: string, body: string, unixS: number): string {
  return `t=${unixS},v1=${digest(secret, body, unixS).toString("hex")}`;
}

/** What a receiver does: true where the signature fits and is at most `toleranceS` old. */
export function verifySignature(
  header: string,
  received: { secret: string; body: string; nowS: number; toleranceS: number },
): boolean {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header);
  if (match === null) return false;
  const unixS = Number(match[1]);
  if (Math.abs(received.nowS - unixS) > received.toleranceS) return false;
  return timingSafeEqual(Buffer.from(match[2]!, "hex"), digest(received.secret, received.body, unixS));
}

function digest(secret: string, body: string, unixS: number): Buffer {
  return createHmac("sha256", secret).update(`${unixS}.${body}`).digest();
}
