// Rows closed by AES-256-GCM, each by itself, under names that say nothing of a person.
//
//   value  [version 1][salt 16][counter u48][tag 16] then, closed: [length of the hidden part u16][hidden part][bytes]
//   name   the clear part of the key, then 132 bits of SHA-256(secret, key) in place of the hidden part
//
// No nonce comes twice under a key: whoever opens the file to write draws a salt, derives a key of his own from it, and
// counts his rows from 0. So neither a crash, nor a copy of the folder that goes on by itself, can make one come again,
// which a counter on the disk could not promise. The name is authenticated with the row: in another's place it does not open.
import { createCipheriv, createDecipheriv, createSecretKey, hash, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import type { RowForm } from "./row-form.ts";
import { groupOf } from "./row-groups.ts";

const CIPHER = "aes-256-gcm";
const VERSION = 1;
const SALT_BYTES = 16;
const COUNTER_BYTES = 6;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const COUNTER_AT = 1 + SALT_BYTES;
const TAG_AT = COUNTER_AT + COUNTER_BYTES;
const HEADER_BYTES = TAG_AT + TAG_BYTES;
const HIDDEN_LENGTH_BYTES = 2;
/** Characters of 6 bits: 132 bits, so that no two of 2^40 rows are likely to share a name. */
const HIDDEN_NAME_CHARS = 22;
/** Names remembered, twice: a hash costs 0.4 µs. */
const NAMES_REMEMBERED = 4_096;
const SCRATCH_BYTES = 16 * 1024;

/**
 * Where the part of a key begins that is a person's; the key's length where there is none. What stays clear is what lists go
 * by: a segment, a run of an experiment, the moment at which a timer is due, ids that the node itself gives.
 */
function hiddenFrom(key: string): number {
  switch (key.slice(0, 2)) {
    case "p:":
    case "l:":
      return 2;
    case "m:":
    case "u:":
      return key.indexOf("/") + 1 || key.length;
    case "x:":
      return key.indexOf(":", 2) + 1 || key.length;
    default:
      return key.length;
  }
}

export function closedRows(folderKey: KeyObject): RowForm {
  const derive = (salt: Buffer | string, purpose: string): Buffer =>
    Buffer.from(hkdfSync("sha256", folderKey, salt, purpose, KEY_BYTES));
  const nameOf = rowNames(derive("", "attune state names").toString("hex"));
  const rowKey = (salt: Buffer): KeyObject => createSecretKey(derive(salt, "attune state rows"));
  const opening = new Map<string, KeyObject>();
  let writing: { salt: Buffer; key: KeyObject; counter: number } | undefined;
  let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  function newWriting(): { salt: Buffer; key: KeyObject; counter: number } {
    const salt = randomBytes(SALT_BYTES);
    return { salt, key: rowKey(salt), counter: 0 };
  }

  function keyOf(stored: Buffer): KeyObject {
    const salt = stored.toString("latin1", 1, COUNTER_AT);
    let key = opening.get(salt);
    if (key === undefined) opening.set(salt, (key = rowKey(stored.subarray(1, COUNTER_AT))));
    return key;
  }

  return {
    nameOf,
    groupOf: (key) => groupOf(key, nameOf),
    stored(key, bytes) {
      writing ??= newWriting();
      const hidden = key.slice(hiddenFrom(key));
      const sizeMax = HEADER_BYTES + HIDDEN_LENGTH_BYTES + hidden.length * 3 + bytes.length;
      if (scratch.length < sizeMax) scratch = Buffer.allocUnsafeSlow(2 * sizeMax);
      const hiddenAt = HEADER_BYTES + HIDDEN_LENGTH_BYTES;
      const hiddenBytes = scratch.write(hidden, hiddenAt);
      scratch.writeUInt16LE(hiddenBytes, HEADER_BYTES);
      scratch.set(bytes, hiddenAt + hiddenBytes);
      const size = hiddenAt + hiddenBytes + bytes.length;
      scratch[0] = VERSION;
      scratch.set(writing.salt, 1);
      scratch.writeUIntBE(writing.counter++, COUNTER_AT, COUNTER_BYTES);
      const cipher = createCipheriv(CIPHER, writing.key, nonceOf(scratch), { authTagLength: TAG_BYTES });
      cipher.setAAD(aadOf(nameOf(key)));
      scratch.set(cipher.update(scratch.subarray(HEADER_BYTES, size)), HEADER_BYTES);
      cipher.final();
      scratch.set(cipher.getAuthTag(), TAG_AT);
      return scratch.subarray(0, size);
    },
    read(name, bytes) {
      const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      if (stored.length < HEADER_BYTES + HIDDEN_LENGTH_BYTES || stored[0] !== VERSION) return undefined;
      const decipher = createDecipheriv(CIPHER, keyOf(stored), nonceOf(stored), { authTagLength: TAG_BYTES })
        .setAAD(aadOf(name))
        .setAuthTag(stored.subarray(TAG_AT, HEADER_BYTES));
      const opened = decipher.update(stored.subarray(HEADER_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      const hiddenEnd = HIDDEN_LENGTH_BYTES + opened.readUInt16LE(0);
      const hidden = opened.toString("utf8", HIDDEN_LENGTH_BYTES, hiddenEnd);
      const clear = hidden === "" ? name : name.slice(0, -HIDDEN_NAME_CHARS);
      return { key: clear + hidden, bytes: opened.subarray(hiddenEnd) };
    },
  };
}

/**
 * A hash with a secret before it, cut short, is a pseudo-random function (Bellare, Bernstein, Tessaro: Hash-function based
 * PRFs, 2016) and costs a quarter of HMAC here.
 */
function rowNames(secret: string): (key: string) => string {
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  return (key) => {
    const from = hiddenFrom(key);
    if (from === key.length) return key;
    let name = young.get(key);
    if (name !== undefined) return name;
    name = old.get(key) ?? key.slice(0, from) + hash("sha256", secret + key, "base64url").slice(0, HIDDEN_NAME_CHARS);
    if (young.size >= NAMES_REMEMBERED) {
      old = young;
      young = new Map();
    }
    young.set(key, name);
    return name;
  };
}

const aadOf = (name: string): Buffer => Buffer.from(name, "utf8");

function nonceOf(stored: Buffer): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  stored.copy(nonce, NONCE_BYTES - COUNTER_BYTES, COUNTER_AT, TAG_AT);
  return nonce;
}
