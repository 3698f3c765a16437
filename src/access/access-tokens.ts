/**
 * Access tokens: JWTs of ten minutes, signed with Ed25519 (RFC 8037), that name a user's session. Whether that is alive
 * is asked of the database at each use, so logging out works at once.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from "jose";

import { AppError } from "../core/errors.js";
import { US_PER_SEC } from "../core/instant.js";

const ISSUER = "reelkeeper";
const AUDIENCE = "reelkeeper";
/** RFC 9068: no other JWT of ours can be taken for one. */
const TYPE = "at+jwt";
const LIFETIME_SEC = 600;

/** As a file keeps it. */
export type SigningKey = JWK;

export interface AccessTokens {
  sign(sessionId: string, nowUs: number): Promise<{ readonly token: string; readonly expiresAtUs: number }>;
  /** The session's id. Throws `unauthenticated` without saying why. */
  verify(token: string, nowUs: number): Promise<string>;
}

/** Private keys (OKP, Ed25519, with `kid`); the first signs, the others only verify. */
export async function createAccessTokens(keys: readonly [SigningKey, ...SigningKey[]]): Promise<AccessTokens> {
  const publicKeys = await Promise.all(
    keys.map(async ({ kty, crv, x, kid = "" }) => [kid, await importJWK({ kty, crv, x } as JWK, "EdDSA")] as const),
  );
  const byId = new Map(publicKeys);
  const [{ kid: newest = "" }] = keys;
  const signingKey = await importJWK(keys[0], "EdDSA");
  return {
    sign: async (sessionId, nowUs) => {
      const nowSec = Math.floor(nowUs / US_PER_SEC);
      const token = await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: "EdDSA", typ: TYPE, kid: newest })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(nowSec)
        .setExpirationTime(nowSec + LIFETIME_SEC)
        .sign(signingKey);
      return { token, expiresAtUs: (nowSec + LIFETIME_SEC) * US_PER_SEC };
    },
    verify: async (token, nowUs) => {
      try {
        const { payload } = await jwtVerify(token, ({ kid }) => byId.get(kid ?? "") ?? missing(), {
          ...{ issuer: ISSUER, audience: AUDIENCE, typ: TYPE, algorithms: ["EdDSA"] },
          ...{ currentDate: new Date(nowUs / 1_000), requiredClaims: ["sid", "exp"] },
        });
        return String(payload["sid"]);
      } catch (error) {
        throw new AppError({
          kind: "unauthenticated",
          message: "the access token is not good (any more)",
          cause: error,
        });
      }
    },
  };
}

/** Private; its id is its thumbprint (RFC 7638). */
export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const key = await exportJWK(privateKey);
  return { ...key, alg: "EdDSA", use: "sig", kid: await calculateJwkThumbprint(key) };
}

function missing(): never {
  throw new TypeError("no such key");
}
