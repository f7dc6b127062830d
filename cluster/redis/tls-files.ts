// TLS to Redis from files: whom we trust, and where Redis asks for it, who we are.
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";

export interface RedisFiles {
  /** Who signed Redis's certificate, where that is none of the system's. */
  readonly caFile?: string;
  /** Our certificate and its key, for a Redis that lets in only whom it knows (`tls-auth-clients yes`). */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Undefined where there are none. Files are read once, now. */
export function redisTls({ caFile, certFile, keyFile }: RedisFiles): ConnectionOptions | undefined {
  if (caFile === undefined && certFile === undefined && keyFile === undefined) return undefined;
  return {
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === undefined ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile) }),
  };
}
