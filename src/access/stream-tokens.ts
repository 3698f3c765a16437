/**
 * Tokens that MediaMTX checks by itself, with our public keys (its `authMethod: jwt`): each says what it opens in a claim
 * of MediaMTX's. Once made, one is good until it runs out, so those for people live a minute; what they began ends when
 * its reason is gone (stream-sessions.ts). The keys are of their own: no token of a login is taken for one.
 */
import { importJWK, type JWK, SignJWT } from "jose";

import type { PathName } from "../core/path-name.js";
import { US_PER_SEC } from "../core/instant.js";
import type { SigningKey } from "./access-tokens.js";
import type { StreamCaller } from "./stream-caller.js";

/** MediaMTX's default. */
export const PERMISSIONS_CLAIM = "mediamtx_permissions";
export const STREAM_TOKEN_LIFETIME_US = 60 * US_PER_SEC;

type Permission =
  | { readonly action: "publish" | "read" | "playback"; readonly path: PathName }
  | { readonly action: "api" | "metrics" | "playback" };

export interface StreamTokens {
  /** `expiresAtUs`: null for as long as the key. */
  sign(
    caller: StreamCaller,
    permissions: readonly Permission[],
    time: { readonly nowUs: number; readonly expiresAtUs: number | null },
  ): Promise<string>;
  /** A JWK Set (RFC 7517) of what MediaMTX needs to check them. */
  readonly publicKeys: { readonly keys: readonly JWK[] };
}

/** Private keys (OKP, Ed25519, with `kid`); the first signs, the others are only published. */
export async function createStreamTokens(keys: readonly [SigningKey, ...SigningKey[]]): Promise<StreamTokens> {
  const [{ kid: newest = "" }] = keys;
  const signingKey = await importJWK(keys[0], "EdDSA");
  return {
    sign: (caller, permissions, { nowUs, expiresAtUs }) => {
      const token = new SignJWT({ [PERMISSIONS_CLAIM]: permissions })
        .setProtectedHeader({ alg: "EdDSA", typ: "JWT", kid: newest })
        .setSubject(subjectOf(caller))
        .setIssuedAt(Math.floor(nowUs / US_PER_SEC));
      if (expiresAtUs !== null) token.setExpirationTime(Math.floor(expiresAtUs / US_PER_SEC));
      return token.sign(signingKey);
    },
    publicKeys: {
      keys: keys.map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid, alg: "EdDSA", use: "sig" }) as JWK),
    },
  };
}

/** MediaMTX tells it of each session, as the user. */
function subjectOf(caller: StreamCaller): string {
  switch (caller.kind) {
    case "reelkeeper":
      return "reelkeeper";
    case "publisher":
      return `publisher:${caller.credentialId}`;
    case "session":
      return `session:${caller.sessionId}`;
    case "token":
      return `token:${caller.tokenId}`;
    case "password":
      throw new TypeError("a password is not a reason for a token");
    default:
      return caller satisfies never;
  }
}

/** Undefined for what `subjectOf` does not make. */
export function callerOfSubject(subject: string): StreamCaller | undefined {
  const [, kind, id = ""] = /^(publisher|session|token):([\w-]{1,64})$/.exec(subject) ?? [];
  if (kind === "publisher") return { kind, credentialId: id };
  if (kind === "session") return { kind, sessionId: id };
  return kind === "token" ? { kind, tokenId: id } : undefined;
}

/** Undefined for whoever could not be found again. */
export function streamCallerOf(principal: {
  readonly kind: string;
  readonly id: string;
  readonly sessionId: string | null;
}): StreamCaller | undefined {
  if (principal.kind === "token") return { kind: "token", tokenId: principal.id };
  return principal.sessionId === null ? undefined : { kind: "session", sessionId: principal.sessionId };
}
