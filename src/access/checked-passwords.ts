/**
 * Passwords that come again and again, as those of cameras and players do: Argon2 is paid for once. What is remembered
 * says only "this password belongs to this hash", which stays true whatever changes; a new password has another hash.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";

import { isSame } from "./caller.js";
import type { LoginLimit } from "./login-limit.js";
import type { Passwords } from "./passwords.js";

const MOST_KEPT = 5_000;
const OF_RANDOM = "sha256:";

interface Tried {
  readonly address: string;
  readonly name: string;
}

export class CheckedPasswords {
  readonly #passwords: Passwords;
  readonly #limit: LoginLimit;
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();

  constructor({ passwords, limit }: { readonly passwords: Passwords; readonly limit: LoginLimit }) {
    this.#passwords = passwords;
    this.#limit = limit;
  }

  /** Costs the same whether there is a hash or not. Throws `rate-limited` after too many tries that were wrong. */
  async verify(hash: string | null, password: string, { address, name }: Tried): Promise<boolean> {
    if (hash?.startsWith(OF_RANDOM) === true) return isSame(hashOfRandom(password), hash);
    const claim = createHmac("sha256", this.#key)
      .update(JSON.stringify([hash, password]))
      .digest("base64");
    if (this.#right.has(claim)) return true;
    this.#limit.enter(address, name);
    if (!(await this.#passwords.verify(hash, password))) return false;
    this.#limit.forget(address, name);
    this.#right.add(claim);
    if (this.#right.size > MOST_KEPT) this.#right.delete(this.#right.values().next().value ?? "");
    return true;
  }
}

/** Of a password of 192 random bits or more, for which nothing slower is needed. */
export function hashOfRandom(password: string): string {
  return `${OF_RANDOM}${createHash("sha256").update(password).digest("hex")}`;
}
