// The write key of a Segment request: the user name of HTTP Basic, or `writeKey` in the body where a beacon cannot set
// a header. The one place that the Segment routes take a key from; on loopback without keys any will do, or none.
import type { IncomingHttpHeaders } from "node:http";

export function writeKeyOf(headers: IncomingHttpHeaders, body: Readonly<Record<string, unknown>>): string | undefined {
  const basic = /^Basic\s+([A-Za-z0-9+/_=-]+)$/i.exec(headers.authorization ?? "")?.[1];
  if (basic !== undefined) {
    const [userName] = Buffer.from(basic, "base64").toString("utf8").split(":", 1);
    if (userName !== undefined && userName !== "") return userName;
  }
  const inBody = body["writeKey"];
  return typeof inBody === "string" && inBody !== "" ? inBody : undefined;
}
