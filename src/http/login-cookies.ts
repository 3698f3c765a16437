/** Cookies of a login: out of reach of scripts, of this site alone, and over HTTPS alone unless told otherwise. */
import type { ServerResponse } from "node:http";

import { COOKIE_NAMES } from "../access/caller.js";
import type { LoggedIn } from "../access/identity.js";
import { US_PER_SEC } from "../core/instant.js";

export interface CookieOptions {
  /** Null: gone. */
  readonly loggedIn: LoggedIn | null;
  readonly nowUs: number;
  readonly isSecure: boolean;
}

export function setLoginCookies(response: ServerResponse, { loggedIn, nowUs, isSecure }: CookieOptions): void {
  const cookie = (which: keyof typeof COOKIE_NAMES, value: string, expiresAtUs: number): string => {
    const [secureName, plainName] = COOKIE_NAMES[which];
    const seconds = Math.max(0, Math.floor((expiresAtUs - nowUs) / US_PER_SEC));
    const about = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${String(seconds)}`;
    return isSecure ? `${secureName}=${value}; ${about}; Secure` : `${plainName}=${value}; ${about}`;
  };
  if (loggedIn === null) {
    response.setHeader("Set-Cookie", [cookie("access", "", 0), cookie("refresh", "", 0)]);
    return;
  }
  const { accessToken, accessTokenExpiresAtUs, refreshToken, refreshExpiresAtUs } = loggedIn;
  const cookies = [cookie("access", accessToken, accessTokenExpiresAtUs)];
  if (refreshToken !== null) cookies.push(cookie("refresh", refreshToken, refreshExpiresAtUs));
  response.setHeader("Set-Cookie", cookies);
}
