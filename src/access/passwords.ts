/** Passwords: Argon2id as RFC 9106 recommends where memory is short (64 MiB, 3 passes), a few at once and no more. */
import { randomBytes } from "node:crypto";

import { hash, verify } from "@node-rs/argon2";

import { Gate } from "../platform/gate.js";

export interface Passwords {
  /** Text in PHC form. Throws `unavailable` when too many wait. */
  hash(password: string): Promise<string>;
  /** Costs the same whether there is a hash to compare with or not. Throws `unavailable` when too many wait. */
  verify(passwordHash: string | null, password: string): Promise<boolean>;
}

/** Of Argon2id: KiB, and passes over them. */
interface Cost {
  readonly memoryCost: number;
  readonly timeCost: number;
}

const COST: Cost = { memoryCost: 65_536, timeCost: 3 };
const LIMITS = { purpose: "check a password", atOnce: 2, mostWaiting: 20 };
const GIVEN_UP_AFTER_MS = 10_000;

/** `cost`: less is for tests, which make hundreds. What was hashed is verified at the cost that stands in the hash. */
export function createPasswords(cost = COST): Passwords {
  // 2: Argon2id; the library keeps its names in a `const enum`.
  const how = { algorithm: 2, parallelism: 1, ...cost } as const;
  const gate = new Gate(LIMITS);
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => gate.run(work, AbortSignal.timeout(GIVEN_UP_AFTER_MS));
  let nobodys: Promise<string> | undefined;
  return {
    hash: (password) => inTurn(() => hash(password, how)),
    verify: (passwordHash, password) =>
      inTurn(async () => {
        if (passwordHash !== null) return verify(passwordHash, password);
        nobodys ??= hash(randomBytes(32).toString("base64url"), how);
        await verify(await nobodys, password);
        return false;
      }),
  };
}
