/** Passwords at a cost that tests can pay; what the product pays is held by passwords.test.ts. */
import { createPasswords, type Passwords } from "../../src/access/passwords.js";

export function cheapPasswords(): Passwords {
  return createPasswords({ memoryCost: 64, timeCost: 1 });
}
