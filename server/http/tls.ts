// The node's own TLS: a certificate and a key from files, read again when they are replaced, as certificate tools do.
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";

export interface TlsConfig {
  /** PEM file of the certificate, with its chain. */
  cert: string;
  /** PEM file of its key. */
  key: string;
}

/** How often the files are looked at. */
const LOOK_EVERY_MS = 10_000;

/** The files cannot be used; the message says why. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
}

/** @throws TlsFileError where the files are missing, no PEM, or do not belong together. */
export function readTls({ cert, key }: TlsConfig): SecureContextOptions & { cert: Buffer; key: Buffer } {
  try {
    const options = { cert: readFileSync(cert), key: readFileSync(key), minVersion: "TLSv1.2" as const };
    createSecureContext(options);
    return options;
  } catch (cause) {
    throw new TlsFileError(`TLS with ${cert} and ${key}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Calls `onChange` with each new pair that can be used; with one that cannot, `onFault`, and the old one stays in
 * force. Returns how to stop.
 */
export function watchTls(
  config: TlsConfig,
  onChange: (options: SecureContextOptions) => void,
  onFault: (error: unknown) => void,
  everyMs = LOOK_EVERY_MS,
): () => void {
  let stamp = stampOf(config);
  const timer = setInterval(() => {
    const next = stampOf(config);
    if (next === stamp) return;
    stamp = next;
    try {
      onChange(readTls(config));
    } catch (error) {
      onFault(error);
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function stampOf({ cert, key }: TlsConfig): string {
  return [cert, key]
    .map((path) => {
      const info = statSync(path, { throwIfNoEntry: false });
      return info === undefined ? "" : `${info.ino}:${info.mtimeMs}:${info.size}`;
    })
    .join(" ");
}
