import { describe, expect, it } from "vitest";

import { CheckedPasswords, hashOfRandom } from "../../../src/access/checked-passwords.js";
import { LoginLimit } from "../../../src/access/login-limit.js";
import type { Passwords } from "../../../src/access/passwords.js";

const TRIED = { address: "192.0.2.1", name: "anna" };

/** Argon2id in name; counts what would be paid for. */
function scene() {
  const paid: (string | null)[] = [];
  let nowMs = 0;
  const passwords: Passwords = {
    hash: (password) => Promise.resolve(`slow:${password}`),
    verify: (hash, password) => {
      paid.push(hash);
      return Promise.resolve(hash === `slow:${password}`);
    },
  };
  const limit = new LoginLimit(() => nowMs, { ofAddress: 8, ofAll: Number.POSITIVE_INFINITY });
  const checked = new CheckedPasswords({ passwords, limit });
  const goOn = (ms: number): void => {
    nowMs += ms;
  };
  return { checked, paid, goOn };
}

describe("a password that is checked again and again", () => {
  it("is paid for once, as long as it and its hash are the same", async () => {
    const { checked, paid } = scene();
    for (let each = 0; each < 200; each += 1) expect(await checked.verify("slow:right", "right", TRIED)).toBe(true);
    expect(paid).toHaveLength(1);
    expect(await checked.verify("slow:another", "right", TRIED)).toBe(false);
    expect(await checked.verify("slow:right", "wrong", TRIED)).toBe(false);
    expect(paid).toHaveLength(3);
  });

  it("costs the same for nobody as for somebody", async () => {
    const { checked, paid } = scene();
    expect(await checked.verify(null, "right", TRIED)).toBe(false);
    expect(await checked.verify("slow:right", "wrong", TRIED)).toBe(false);
    expect(paid).toEqual([null, "slow:right"]);
  });

  it("costs next to nothing when it was made at random", async () => {
    const { checked, paid } = scene();
    const hash = hashOfRandom("AAAA");
    expect(hash).not.toContain("AAAA");
    expect(await checked.verify(hash, "AAAA", TRIED)).toBe(true);
    for (let each = 0; each < 50; each += 1) expect(await checked.verify(hash, "AAAB", TRIED)).toBe(false);
    expect(await checked.verify(hash, hash, TRIED)).toBe(false);
    expect(paid).toEqual([]);
  });
});

describe("guessing", () => {
  it("ends after 5 tries a minute at a name, for others not", async () => {
    const { checked, paid, goOn } = scene();
    const guess = (name: string) => checked.verify("slow:right", "wrong", { ...TRIED, name });
    for (let each = 0; each < 5; each += 1) expect(await guess("anna")).toBe(false);
    await expect(guess("anna")).rejects.toMatchObject({ kind: "rate-limited" });
    expect(await guess("bert")).toBe(false);
    expect(paid).toHaveLength(6);
    goOn(60_000);
    expect(await guess("anna")).toBe(false);
  });

  it("ends after so many tries of an address, by whatever names; whoever was right before still gets in", async () => {
    const { checked } = scene();
    expect(await checked.verify("slow:right", "right", TRIED)).toBe(true);
    for (let each = 0; each < 8; each += 1) {
      expect(await checked.verify(null, "wrong", { ...TRIED, name: `guess-${each}` })).toBe(false);
    }
    await expect(checked.verify(null, "wrong", { ...TRIED, name: "another" })).rejects.toMatchObject({
      kind: "rate-limited",
    });
    expect(await checked.verify("slow:right", "right", TRIED)).toBe(true);
    expect(await checked.verify(null, "wrong", { address: "192.0.2.2", name: "another" })).toBe(false);
  });
});
