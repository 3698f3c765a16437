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

/** The first seals; the others still open what they sealed. Each is 32 bytes. */
export type SecretKeys = readonly [Buffer, ...Buffer[]];

/** No key that we have opens it. */
export class UnreadableSecret extends AppError {}

export interface SecretBox {
  /** `v1.KEYID.BASE64URL`. */
  seal(plain: string, context: string): string;
  /** Throws `UnreadableSecret` (`data-loss`). */
  open(sealed: string, context: string): string;
  /** Sealed by another key than the newest one. */
  isStale(sealed: string): boolean;
  /**
   * Seals from now on as others do who sealed this last: their keys may be newer than those that we have read. Throws
   * `UnreadableSecret` when that key is nowhere.
   */
  follow(sealed: string): void;
}

/** A function is asked at the first use, and again when something was sealed by a key that it did not give before. */
export function createSecretBox(source: SecretKeys | (() => SecretKeys)): SecretBox {
  const ring = new KeyRing(typeof source === "function" ? source : () => source);
  if (typeof source !== "function") ring.read();
  return {
    seal: (plain, context) => {
      const { id, key } = ring.newest();
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${id}.${body.toString("base64url")}`;
    },
    open: (sealed, context) => {
      const [version, id = "", text = ""] = sealed.split(".");
      const body = Buffer.from(text, "base64url");
      const key = version === VERSION ? ring.find(id) : undefined;
      if (key === undefined || body.length < NONCE_BYTES + TAG_BYTES) throw unreadable(context);
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, body.subarray(0, NONCE_BYTES))
          .setAAD(Buffer.from(context))
          .setAuthTag(body.subarray(-TAG_BYTES));
        return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        throw unreadable(context);
      }
    },
    isStale: (sealed) => idIn(sealed) !== ring.newest().id,
    follow: (sealed) => {
      if (idIn(sealed) === ring.newest().id) return;
      ring.read();
      if (ring.find(idIn(sealed)) === undefined) throw unreadable("what was sealed last");
    },
  };
}

interface Key {
  readonly id: string;
  readonly key: Buffer;
}

class KeyRing {
  readonly #source: () => SecretKeys;
  /** None is forgotten: a row that was read before a rotation is opened after it. */
  readonly #byId = new Map<string, Buffer>();
  #newest: Key | undefined;

  constructor(source: () => SecretKeys) {
    this.#source = source;
  }

  newest(): Key {
    return this.#newest ?? this.read();
  }

  read(): Key {
    const keys = this.#source();
    for (const key of keys) {
      if (key.length !== KEY_BYTES) {
        throw new AppError({
          kind: "invalid-argument",
          message: `a key has ${String(key.length)} bytes, expected ${String(KEY_BYTES)}`,
        });
      }
      this.#byId.set(keyId(key), key);
    }
    return (this.#newest = { id: keyId(keys[0]), key: keys[0] });
  }

  find(id: string): Buffer | undefined {
    this.newest();
    if (!this.#byId.has(id)) this.read();
    return this.#byId.get(id);
  }
}

function idIn(sealed: string): string {
  return sealed.split(".")[1] ?? "";
}

/** Tells keys apart without telling anything of them. */
function keyId(key: Buffer): string {
  return createHash("sha256").update("reelkeeper key id").update(key).digest("hex").slice(0, 8);
}

function unreadable(context: string): UnreadableSecret {
  return new UnreadableSecret({
    kind: "data-loss",
    message: `the secret of ${context} cannot be opened with the keys that are there`,
    hint: "bring back the key file that it was sealed with (SECRET_KEY_FILE), or set the secret anew",
  });
}
