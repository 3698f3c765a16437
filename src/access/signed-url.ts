/**
 * URLs that open one thing for a short time, for players that can send nothing else. Signed are the method, path and
 * query, the end of the time, who made it and the key; nothing is kept. Who made it must still be allowed when it is
 * used, so a URL never opens more than its maker.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { AppError } from "../core/errors.js";
import { US_PER_SEC } from "../core/instant.js";
import type { PrincipalKind } from "../core/principal.js";

/** Our own query parameters. */
export const SIGNATURE_PARAMETERS = ["signedBy", "expires", "signingKey", "signature"] as const;

export interface SignedFor {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly expiresAtUs: number;
}

export interface UrlSigner {
  /** `url` begins with a slash; what it says of a signature is replaced. */
  sign(url: string, claims: SignedFor): string;
  /** Throws `unauthenticated` without saying what is wrong, but that its time is over. */
  verify(url: string, nowUs: number): SignedFor;
}

/** The first key signs; the others only verify. */
export function createUrlSigner(keys: readonly [Buffer, ...Buffer[]]): UrlSigner {
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  return {
    sign: (url, { kind, id, expiresAtUs }) => {
      const { pathname, query } = parse(url);
      for (const name of SIGNATURE_PARAMETERS) query.delete(name);
      query.set("signedBy", `${kind}:${id}`);
      query.set("expires", String(Math.floor(expiresAtUs / US_PER_SEC)));
      query.set("signingKey", keyId(keys[0]));
      query.set("signature", macOf(keys[0], pathname, query).toString("base64url"));
      return `${pathname}?${query.toString()}`;
    },
    verify: (url, nowUs) => {
      const { pathname, query } = parse(url);
      const [by, expires, id, signature] = SIGNATURE_PARAMETERS.map((name) => onlyOne(query, name));
      const key = byId.get(id ?? "");
      query.delete("signature");
      // The same work, and the same words, whether the key or the signature is the wrong one.
      const expected = macOf(key ?? keys[0], pathname, query);
      const given = Buffer.from(signature ?? "", "base64url");
      const isRight = given.length === expected.length && timingSafeEqual(given, expected);
      const claims = claimsOf(by, expires);
      if (!isRight || key === undefined || claims === undefined)
        throw refused("this URL is not one that was signed here");
      if (nowUs >= claims.expiresAtUs) throw refused("the time of this signed URL is over");
      return claims;
    },
  };
}

export function isSigned(url: string): boolean {
  return url.includes("?") && parse(url).query.has("signature");
}

/** HEAD is a GET without its body, so both are signed as one. In order of their names: proxies may sort. */
function macOf(key: Buffer, pathname: string, query: URLSearchParams): Buffer {
  const canonical = new URLSearchParams([...query].filter(([name]) => name !== "signature"));
  canonical.sort();
  return createHmac("sha256", key).update(`GET\n${pathname}\n${canonical.toString()}`).digest();
}

function parse(url: string): { readonly pathname: string; readonly query: URLSearchParams } {
  const start = url.indexOf("?");
  return {
    pathname: start < 0 ? url : url.slice(0, start),
    query: new URLSearchParams(start < 0 ? "" : url.slice(start + 1)),
  };
}

function onlyOne(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

const KINDS = ["user", "token", "share", "machine"] as const satisfies readonly PrincipalKind[];

function claimsOf(by: string | undefined, expires: string | undefined): SignedFor | undefined {
  const kind = KINDS.find((known) => by?.startsWith(`${known}:`) === true);
  if (by === undefined || kind === undefined || expires === undefined || !/^\d{1,11}$/.test(expires)) return undefined;
  return { kind, id: by.slice(kind.length + 1), expiresAtUs: Number(expires) * US_PER_SEC };
}

function keyId(key: Buffer): string {
  return createHash("sha256").update("reelkeeper signing key id").update(key).digest("hex").slice(0, 8);
}

function refused(message: string): AppError {
  return new AppError({ kind: "unauthenticated", message });
}
