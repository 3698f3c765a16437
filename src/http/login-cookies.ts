/** Cookies of a login: out of reach of scripts, of this site alone, and over HTTPS alone unless told otherwise. */
import type { ServerResponse } from "node:http";

import { type CookieKind, cookieNames } from "../access/caller.js";
import type { LoggedIn } from "../access/identity.js";
import { US_PER_SEC } from "../core/instant.js";
import type { HttpDeps } from "./http-deps.js";

export interface CookiePlace {
  readonly isSecure: boolean;
  readonly publicUrl: string | null;
}

export function cookiePlace({ login, access }: Pick<HttpDeps, "login" | "access">): CookiePlace {
  return { isSecure: login.isSecure, publicUrl: access.publicUrl };
}

interface CookieOptions extends CookiePlace {
  /** Null: gone. */
  readonly loggedIn: LoggedIn | null;
  readonly nowUs: number;
}

export function setLoginCookies(response: ServerResponse, { loggedIn, nowUs, ...place }: CookieOptions): void {
  const cookie = (which: "access" | "refresh", value: string, expiresAtUs: number): string => {
    const seconds = Math.max(0, Math.floor((expiresAtUs - nowUs) / US_PER_SEC));
    return cookieText({ which, value, seconds, ...place, sameSite: "Strict" });
  };
  if (loggedIn === null) {
    response.appendHeader("Set-Cookie", [cookie("access", "", 0), cookie("refresh", "", 0)]);
    return;
  }
  const { accessToken, accessTokenExpiresAtUs, refreshToken, refreshExpiresAtUs } = loggedIn;
  const cookies = [cookie("access", accessToken, accessTokenExpiresAtUs)];
  if (refreshToken !== null) cookies.push(cookie("refresh", refreshToken, refreshExpiresAtUs));
  response.appendHeader("Set-Cookie", cookies);
}

const ATTEMPT_SEC = 600;

/** What a browser keeps while its person is at the login provider, which sends it back from another site. */
export function setAttemptCookie(response: ServerResponse, value: string, place: CookiePlace): void {
  const seconds = value === "" ? 0 : ATTEMPT_SEC;
  response.appendHeader("Set-Cookie", cookieText({ which: "attempt", value, seconds, ...place, sameSite: "Lax" }));
}

interface Cookie extends CookiePlace {
  readonly which: CookieKind;
  readonly value: string;
  /** 0: gone. */
  readonly seconds: number;
  readonly sameSite: "Strict" | "Lax";
}

function cookieText({ which, value, seconds, isSecure, sameSite, publicUrl }: Cookie): string {
  const names = cookieNames(which, publicUrl);
  const about = `Path=/; HttpOnly; SameSite=${sameSite}; Max-Age=${String(seconds)}`;
  return isSecure ? `${names.secure}=${value}; ${about}; Secure` : `${names.plain}=${value}; ${about}`;
}
