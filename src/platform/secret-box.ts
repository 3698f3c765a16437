/**
 * Secrets at rest: AES-256-GCM with a key from a file. What is sealed is bound to where it belongs (`context`), so that
 * nobody who can write rows can move one secret into another's place.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

import { AppError } from "../core/errors.js";

const VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

export interface SecretBox {
  /** `v1.KEYID.BASE64URL`. */
  seal(plain: string, context: string): string;
  /** Throws `data-loss` when no key that we have opens it. */
  open(sealed: string, context: string): string;
  /** Sealed by another key than the newest one. */
  isStale(sealed: string): boolean;
}

/** The first key seals; the others still open what they sealed. Each is 32 bytes. */
export function createSecretBox(keys: readonly [Buffer, ...Buffer[]]): SecretBox {
  for (const key of keys) {
    if (key.length !== KEY_BYTES) {
      throw new AppError({
        kind: "invalid-argument",
        message: `a key has ${String(key.length)} bytes, expected ${String(KEY_BYTES)}`,
      });
    }
  }
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  const newest = keyId(keys[0]);
  return {
    seal: (plain, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", keys[0], nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${newest}.${body.toString("base64url")}`;
    },
    open: (sealed, context) => {
      const [version, id = "", text = ""] = sealed.split(".");
      const key = byId.get(id);
      const body = Buffer.from(text, "base64url");
      if (version !== VERSION || key === undefined || body.length < NONCE_BYTES + TAG_BYTES) throw unreadable(context);
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, body.subarray(0, NONCE_BYTES))
          .setAAD(Buffer.from(context))
          .setAuthTag(body.subarray(-TAG_BYTES));
        return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        throw unreadable(context);
      }
    },
    isStale: (sealed) => sealed.split(".")[1] !== newest,
  };
}

/** Tells keys apart without telling anything of them. */
function keyId(key: Buffer): string {
  return createHash("sha256").update("reelkeeper key id").update(key).digest("hex").slice(0, 8);
}

function unreadable(context: string): AppError {
  return new AppError({
    kind: "data-loss",
    message: `the secret of ${context} cannot be opened with the keys that are there`,
    hint: "bring back the key file that it was sealed with (SECRET_KEY_FILE), or set the secret anew",
  });
}
