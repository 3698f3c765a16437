/**
 * Login elsewhere, by OpenID Connect: the authorization code flow with PKCE (RFC 7636), state and nonce. What the
 * provider says of a person is believed; what that opens here is decided by core/group-roles.ts.
 */
import * as client from "openid-client";

import { AppError, describeError } from "../core/errors.js";

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  /** Where the provider sends the browser back to; known to it beforehand. */
  readonly redirectUrl: string;
  readonly scopes: string;
  /** Of the ID token, or else of the userinfo. */
  readonly groupsClaim: string;
}

/** Kept by the browser alone, in a cookie that no script reads, while its person is away at the provider. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Who the provider says that it is. */
export interface OidcPerson {
  /** Issuer and subject: the only thing about a person that never changes. */
  readonly identity: string;
  readonly name: string;
  readonly groups: readonly string[];
}

export class Oidc {
  readonly #settings: OidcSettings;
  #discovered: Promise<client.Configuration> | null = null;

  constructor(settings: OidcSettings) {
    this.#settings = settings;
  }

  /** Where to send the browser. Throws `unavailable` while the provider does not answer. */
  async begin(): Promise<{ readonly url: string; readonly attempt: OidcAttempt }> {
    const configuration = await this.#configuration();
    const verifier = client.randomPKCECodeVerifier();
    const attempt = { state: client.randomState(), nonce: client.randomNonce(), verifier };
    const url = client.buildAuthorizationUrl(configuration, {
      ...{ redirect_uri: this.#settings.redirectUrl, scope: this.#settings.scopes },
      ...{ state: attempt.state, nonce: attempt.nonce },
      ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" },
    });
    return { url: url.href, attempt };
  }

  /**
   * `query`: what the provider sent along with the browser. Throws `permission-denied` when it did not let the person in or
   * the answer belongs to another attempt, `unavailable` when it does not answer.
   */
  async finish(query: URLSearchParams, { state, nonce, verifier }: OidcAttempt): Promise<OidcPerson> {
    const configuration = await this.#configuration();
    const here = new URL(this.#settings.redirectUrl);
    here.search = query.toString();
    try {
      const tokens = await client.authorizationCodeGrant(configuration, here, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new TypeError("no ID token came");
      const isWhole = claims[this.#settings.groupsClaim] !== undefined;
      const more = isWhole ? {} : await this.#userInfo(configuration, tokens.access_token, claims.sub);
      return personOf({ ...more, ...claims }, this.#settings.groupsClaim);
    } catch (error) {
      if (isNoAnswer(error)) throw this.#unavailable(error);
      throw new AppError({
        kind: "permission-denied",
        message: `the login provider did not confirm the login: ${describeError(error)}`,
        hint: "log in again",
        cause: error,
      });
    }
  }

  async #userInfo(configuration: client.Configuration, accessToken: string, subject: string) {
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return {};
    return client.fetchUserInfo(configuration, accessToken, subject);
  }

  /** Asked once; again when it failed. */
  #configuration(): Promise<client.Configuration> {
    this.#discovered ??= this.#discover().catch((error: unknown) => {
      this.#discovered = null;
      throw this.#unavailable(error);
    });
    return this.#discovered;
  }

  #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const authentication = clientSecret === null ? client.None() : client.ClientSecretBasic(clientSecret);
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- so marked only to stand out; config/oidc.ts lets plain HTTP through on loopback alone
    const plain = issuer.startsWith("http:") ? { execute: [client.allowInsecureRequests] } : {};
    return client.discovery(new URL(issuer), clientId, undefined, authentication, plain);
  }

  #unavailable(cause: unknown): AppError {
    return new AppError({
      kind: "unavailable",
      message: `the login provider ${this.#settings.issuer} does not answer as one: ${describeError(cause)}`,
      hint: "look at OIDC_ISSUER, and whether this machine reaches it",
      cause,
    });
  }
}

/** fetch throws a TypeError when nobody is there, and a DOMException when nobody answers. */
function isNoAnswer(error: unknown): boolean {
  const cause = error instanceof client.ClientError ? error.cause : error;
  return cause instanceof DOMException || (cause instanceof TypeError && cause.message === "fetch failed");
}

function personOf(claims: Readonly<Record<string, unknown>>, groupsClaim: string): OidcPerson {
  const names = [claims["preferred_username"], claims["email"], claims["name"], claims["sub"]];
  const groups = claims[groupsClaim];
  return {
    identity: `${String(claims["iss"])} ${String(claims["sub"])}`,
    name: names.find((name): name is string => typeof name === "string" && name !== "") ?? "",
    groups: (Array.isArray(groups) ? groups : [groups]).filter((group): group is string => typeof group === "string"),
  };
}
