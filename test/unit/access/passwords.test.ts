import { describe, expect, it } from "vitest";

import { createPasswords } from "../../../src/access/passwords.js";
import { cheapPasswords } from "../../support/cheap-passwords.js";

describe("a password", () => {
  it("is hashed by Argon2id with 64 MiB and 3 passes, and is the only one that its hash takes", async () => {
    const passwords = createPasswords();
    const hash = await passwords.hash("correct horse battery staple");
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(await passwords.verify(hash, "correct horse battery staple")).toBe(true);
    expect(await passwords.verify(hash, "correct horse battery stable")).toBe(false);
    expect(await passwords.verify(null, "correct horse battery staple")).toBe(false);
  });

  it("that was hashed at another cost is known all the same", async () => {
    const hash = await cheapPasswords().hash("correct horse battery staple");
    expect(await createPasswords().verify(hash, "correct horse battery staple")).toBe(true);
  });
});
