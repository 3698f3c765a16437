/** What the administration pages ask the API for, and what they tell it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type {
  ApiToken,
  ApiTokenList,
  AuditList,
  MadeApiToken,
  MadeShare,
  Me,
  Role,
  SessionList,
  ShareList,
  User,
  UserList,
} from "../api-types.js";
import { nowMs } from "../clock.js";
import { hasRole, useMe } from "../me.js";
import { apiUrl, getJson, send } from "../request.js";
import { askedOf } from "./audit-filter.js";

const POLL_MS = 10_000;
const AUDIT_ROWS = 50;

/** For whoever may see them; nobody else asks. */
export function useUsers() {
  return useQuery({
    queryKey: ["users"],
    queryFn: ({ signal }) => getJson<UserList>("api/v1/users", signal),
    enabled: hasRole(useMe(), "admin"),
    refetchInterval: POLL_MS,
  });
}

/** Of somebody; undefined: of all, for admins. */
export function useSessions(user: string | undefined) {
  return useQuery({
    queryKey: ["sessions", user],
    queryFn: ({ signal }) => getJson<SessionList>(ofUser("sessions", user), signal),
    refetchInterval: POLL_MS,
  });
}

export function useTokens(user: string | undefined) {
  return useQuery({
    queryKey: ["tokens", user],
    queryFn: ({ signal }) => getJson<ApiTokenList>(ofUser("tokens", user), signal),
    refetchInterval: POLL_MS,
  });
}

function ofUser(route: string, user: string | undefined): string {
  return user === undefined ? `api/v1/${route}` : apiUrl(route, { user });
}

export function useShares() {
  return useQuery({
    queryKey: ["shares"],
    queryFn: ({ signal }) => getJson<ShareList>("api/v1/shares", signal),
    refetchInterval: POLL_MS,
  });
}

export function useAudit(filter: Readonly<Record<string, string>>) {
  return useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ signal, pageParam }) =>
      getJson<AuditList>(
        apiUrl("audit", {
          ...askedOf(filter, nowMs()),
          limit: AUDIT_ROWS,
          ...(pageParam === null ? {} : { before: pageParam }),
        }),
        signal,
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page: AuditList) => page.next,
  });
}

interface NewUser {
  readonly name: string;
  readonly role: Role;
  readonly paths: readonly string[];
  readonly password: string;
}

interface NewApiToken {
  readonly name: string;
  readonly role: Role;
  readonly paths: readonly string[];
  readonly expiresAt: string | null;
}

interface NewShare {
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly expiresAt: string;
}

export const addUser = (user: NewUser): Promise<User> => send("POST", "api/v1/users", user);
export const changeUser = (id: string, patch: Partial<NewUser & { readonly disabled: boolean }>): Promise<User> =>
  send("PATCH", `api/v1/users/${id}`, patch);
export const removeUser = (id: string): Promise<unknown> => send("DELETE", `api/v1/users/${id}`);
export const endSession = (id: string): Promise<unknown> => send("DELETE", `api/v1/sessions/${id}`);
export const makeToken = (token: NewApiToken): Promise<MadeApiToken> => send("POST", "api/v1/tokens", token);
export const revokeToken = ({ id }: ApiToken): Promise<unknown> => send("DELETE", `api/v1/tokens/${id}`);
export const makeShare = (share: NewShare): Promise<MadeShare> => send("POST", "api/v1/shares", share);
export const revokeShare = (id: string): Promise<unknown> => send("DELETE", `api/v1/shares/${id}`);
export const changePassword = (change: { readonly current: string; readonly new: string }): Promise<Me> =>
  send("POST", "api/v1/me/password", change);
