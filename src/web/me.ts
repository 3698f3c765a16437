/** Who looks at the page, and what it offers them: what their role may not do is not shown. The server decides anew. */
import { useQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";

import type { LoggedIn, LoginOptions, Me, Role } from "./api-types.js";
import { noteLifetime, useIsLoginOver } from "./login-state.js";
import { bodyOf, checked, forgetToken, getJson, send } from "./request.js";

const ROLES: readonly Role[] = ["viewer", "operator", "admin"];
const LOOK_AGAIN_MS = 60_000;
const TRY_AGAIN_MS = 2_000;
const TIMEOUT_MS = 10_000;

export const ME_KEY = ["me"];

const MeContext = createContext<Me | undefined>(undefined);
export const MeProvider = MeContext.Provider;

/** Inside of the frame, which is there once this is known. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (me === undefined) throw new Error("nobody knows yet who looks at the page");
  return me;
}

export function useAskMe() {
  return useQuery({
    queryKey: ME_KEY,
    queryFn: ({ signal }) => getJson<Me>("api/v1/me", signal),
    enabled: !useIsLoginOver(),
    refetchInterval: ({ state }) => (state.data === undefined ? TRY_AGAIN_MS : LOOK_AGAIN_MS),
  });
}

/** How one proves here who one is; asked once that is needed. */
export function useLoginOptions() {
  return useQuery({
    queryKey: ["login-options"],
    queryFn: async ({ signal }) => {
      const response = await fetch("api/v1/login/options", { signal }).catch(() => undefined);
      return (await (await checked(response)).json()) as LoginOptions;
    },
    enabled: useIsLoginOver(),
    retryDelay: TRY_AGAIN_MS,
    refetchInterval: ({ state }) => (state.data === undefined ? TRY_AGAIN_MS : false),
  });
}

/** Throws a RequestError. The token of this tab is forgotten: whoever logs in asks as themselves. */
export async function logIn(name: string, password: string): Promise<Me> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const asked = fetch("api/v1/login", { method: "POST", signal, ...bodyOf({ name, password }) });
  const response = await checked(await asked.catch(() => undefined));
  const loggedIn = (await response.json()) as LoggedIn;
  forgetToken();
  noteLifetime(loggedIn, response.headers.get("Date"));
  return loggedIn.user;
}

export async function logOut(): Promise<void> {
  await send("POST", "api/v1/logout", {});
}

export const rolesUpTo = (role: Role): readonly Role[] => ROLES.slice(0, ROLES.indexOf(role) + 1);

export function hasRole(me: Me, needed: Role): boolean {
  return rolesUpTo(me.role).includes(needed);
}

/** What tells of the whole is for those who see every path. */
export const seesAll = ({ paths }: Me): boolean => paths === null || paths.includes("*");
