// The key that a cluster's servers share: 32 bytes in the settings of each. From it come, one for each purpose, the keys
// that close what lies in Kafka and in cookies, so that neither Kafka nor a browser holds a secret in the open.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

export interface ClusterKey {
  /** Closes a text; in base64url. */
  seal(text: string): string;
  /** Undefined: not closed with this key, for this purpose. */
  open(sealed: string): string | undefined;
}

const CIPHER = "aes-256-gcm";
const CLUSTER_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** No key for a cluster; the message says what would be one. */
export class ClusterKeyError extends Error {
  override readonly name = "ClusterKeyError";
}

/** A new one, in base64. */
export function newClusterKey(): string {
  return randomBytes(CLUSTER_KEY_BYTES).toString("base64");
}

/** Bytes of one purpose. @throws ClusterKeyError */
export function derive(text: string | undefined, purpose: "user tokens" | "sessions" | "audit"): Buffer {
  const bytes = Buffer.from(text ?? "", "base64");
  if (bytes.length !== CLUSTER_KEY_BYTES) {
    throw new ClusterKeyError(`the cluster's key must be ${CLUSTER_KEY_BYTES} bytes in base64 ("attune cluster up" makes one; openssl rand -base64 32)`);
  }
  return Buffer.from(hkdfSync("sha256", bytes, "", `attune ${purpose}`, CLUSTER_KEY_BYTES));
}

/** @throws ClusterKeyError */
export function clusterKey(text: string | undefined, purpose: "user tokens" | "sessions"): ClusterKey {
  const key = derive(text, purpose);
  return {
    seal(plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url");
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        return undefined; // closed with another key, or changed
      }
    },
  };
}
