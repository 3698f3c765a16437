import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createSecretBox, UnreadableSecret } from "../../../src/platform/secret-box.js";

const KEY = randomBytes(32);

describe("the secret box", () => {
  it("opens what it sealed, and shows nothing of it", () => {
    const box = createSecretBox([KEY]);
    fc.assert(
      fc.property(fc.string({ minLength: 8, unit: "binary" }), (plain) => {
        const sealed = box.seal(plain, "path cam1");
        return (
          box.open(sealed, "path cam1") === plain && !sealed.includes(plain) && /^v1\.[0-9a-f]{8}\.[\w-]+$/.test(sealed)
        );
      }),
    );
  });

  it("seals the same secret differently each time", () => {
    const box = createSecretBox([KEY]);
    expect(box.seal("secret", "a")).not.toBe(box.seal("secret", "a"));
  });

  it("does not open what belongs elsewhere, was changed, or has another key", () => {
    const box = createSecretBox([KEY]);
    const sealed = box.seal("secret", "path cam1");
    expect(() => box.open(sealed, "path cam2")).toThrow(/secret of path cam2 cannot be opened/);
    for (let at = sealed.lastIndexOf(".") + 1; at < sealed.length; at += 1) {
      const other = sealed[at] === "A" ? "B" : "A";
      const changed = `${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`;
      // The last letter of base64url holds bits that count for nothing.
      if (at < sealed.length - 1) expect(() => box.open(changed, "path cam1")).toThrow(/cannot be opened/);
    }
    expect(() => createSecretBox([randomBytes(32)]).open(sealed, "path cam1")).toThrow(
      /SECRET_KEY_FILE|cannot be opened/,
    );
    for (const odd of ["", "v1", "v1..", `v2${sealed.slice(2)}`, "secret"]) expect(() => box.open(odd, "x")).toThrow();
  });

  it("opens with an older key, and says that it is one", () => {
    const sealed = createSecretBox([KEY]).seal("secret", "a");
    const rotated = createSecretBox([randomBytes(32), KEY]);
    expect(rotated.open(sealed, "a")).toBe("secret");
    expect(rotated.isStale(sealed)).toBe(true);
    expect(rotated.isStale(rotated.seal("secret", "a"))).toBe(false);
  });

  it("asks for its keys when it meets one that it does not know, and seals as others do", () => {
    const NEWER = randomBytes(32);
    let keys: readonly [Buffer, ...Buffer[]] = [KEY];
    const box = createSecretBox(() => keys);
    const old = box.seal("secret", "a");
    keys = [NEWER];
    expect(box.isStale(old)).toBe(false);
    const sealed = createSecretBox([NEWER]).seal("secret", "a");
    box.follow(sealed);
    expect(box.isStale(box.seal("secret", "a"))).toBe(false);
    expect(box.isStale(old)).toBe(true);
    expect([old, sealed].map((one) => box.open(one, "a"))).toEqual(["secret", "secret"]);
    expect(() => box.follow(createSecretBox([randomBytes(32)]).seal("secret", "a"))).toThrow(UnreadableSecret);
  });

  it("takes keys of 32 bytes", () => {
    expect(() => createSecretBox([randomBytes(16)])).toThrow(/16 bytes, expected 32/);
  });
});
