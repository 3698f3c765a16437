import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createUrlSigner, isSigned, type SignedFor } from "../../../src/access/signed-url.js";
import { toAppError } from "../../../src/core/errors.js";

const [OLD, NEW, OTHER] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer];
const CLIP = "/api/v1/clip.mp4?path=site%2Fgate&from=2026-11-20T17:00:00Z&to=2026-11-20T17:05:00Z";
const NOW_US = 1_795_132_800_000_000;
const BY: SignedFor = { kind: "user", id: "u1", expiresAtUs: NOW_US + 300_000_000 };

const signer = createUrlSigner([NEW, OLD]);
const signed = signer.sign(CLIP, BY);

function refusalOf(url: string, nowUs = NOW_US, by = signer): string {
  try {
    by.verify(url, nowUs);
    return "none";
  } catch (error) {
    const { kind, message } = toAppError(error);
    return `${kind}: ${message}`;
  }
}

const WRONG = "unauthenticated: this URL is not one that was signed here";

describe("a signed URL", () => {
  it("says who signed it and until when, and survives another order and another spelling of its query", () => {
    expect(signer.verify(signed, NOW_US)).toEqual(BY);
    const { searchParams, pathname } = new URL(signed, "http://x");
    const turned = new URLSearchParams([...searchParams].reverse());
    expect(signer.verify(`${pathname}?${turned.toString().replaceAll("%3A", ":")}`, NOW_US)).toEqual(BY);
  });

  it("is good until its time, and not at it", () => {
    expect(refusalOf(signed, BY.expiresAtUs - 1)).toBe("none");
    expect(refusalOf(signed, BY.expiresAtUs)).toBe("unauthenticated: the time of this signed URL is over");
  });

  it("is refused when one character of it is another one", () => {
    const changed = fc.tuple(
      fc.nat({ max: signed.length - 1 }),
      fc.constantFrom("a", "Z", "0", "9", "-", "_", ".", "%", "&", "=", "?", "/", ":"),
    );
    fc.assert(
      fc.property(changed, ([at, character]) => {
        fc.pre(signed[at] !== character);
        const url = `${signed.slice(0, at)}${character}${signed.slice(at + 1)}`;
        // Two spellings of the same bytes, in base64 and in percent signs, are the same URL.
        fc.pre(!isSameMeaning(url));
        expect(refusalOf(url)).toBe(WRONG);
      }),
    );
  });

  it("is refused with a parameter more, less, twice or of another URL", () => {
    const other = signer.sign(CLIP.replace("gate", "yard"), BY);
    const grafted = signed.replace(/signature=.*/, /signature=.*/.exec(other)?.[0] ?? "");
    const wrong = [
      `${signed}&width=16`,
      `${signed}&signature=x`,
      `${signed}&expires=99999999999`,
      signed.replace(/&to=[^&]*/, ""),
      signed.replace(/&signature=.*/, ""),
      signed.replace(/&signature=.*/, "&signature="),
      signed.replace(/signedBy=[^&]*/, "signedBy=machine%3Athis-machine"),
      signed.replace(/expires=\d+/, "expires=99999999999"),
      signed.replace("/clip.mp4", "/playlist.m3u8"),
      signed.replace("/clip.mp4", "/%63lip.mp4"),
      signed.replace("/api/", "//api/"),
      grafted,
      ...["__proto__", "constructor", "toString", ""].map((key) =>
        signed.replace(/signingKey=[^&]*/, `signingKey=${key}`),
      ),
    ];
    for (const url of wrong) expect(refusalOf(url), url).toBe(WRONG);
  });

  it("of the key before is still good, of a forgotten one it is not", () => {
    expect(createUrlSigner([OTHER, NEW]).verify(signed, NOW_US)).toEqual(BY);
    expect(refusalOf(signed, NOW_US, createUrlSigner([OTHER, OLD]))).toBe(WRONG);
    expect(refusalOf(createUrlSigner([OLD]).sign(CLIP, BY))).toBe("none");
  });

  it("is signed anew over what it says of a signature, not beside it", () => {
    const again = signer.sign(signed, { ...BY, id: "u2" });
    expect(again.match(/signature=/g)).toHaveLength(1);
    expect(signer.verify(again, NOW_US)).toMatchObject({ id: "u2" });
  });

  it("names nobody but those that can sign", () => {
    for (const kind of ["link", "admin", "__proto__", ""]) {
      expect(refusalOf(signer.sign(CLIP, { ...BY, kind: kind as "user" }))).toBe(WRONG);
    }
  });

  it("is known by its signature, wherever that stands", () => {
    expect(isSigned(signed)).toBe(true);
    expect(isSigned(CLIP)).toBe(false);
    expect(isSigned("/signature=1")).toBe(false);
  });
});

function isSameMeaning(url: string): boolean {
  const meaning = (text: string) => {
    const { pathname, search } = splitOf(text);
    const query = new URLSearchParams(search);
    const signature = Buffer.from(query.get("signature") ?? "", "base64url").toString("hex");
    query.delete("signature");
    query.sort();
    return `${pathname} ${query.toString()} ${signature}`;
  };
  return meaning(url) === meaning(signed);
}

function splitOf(url: string) {
  const start = url.indexOf("?");
  return { pathname: start < 0 ? url : url.slice(0, start), search: start < 0 ? "" : url.slice(start) };
}
