/** The pages beside the recordings, in the order of their menu. Each is loaded when it is first shown. */
import { type ComponentType, lazy, type LazyExoticComponent } from "react";

import type { Me } from "../api-types.js";
import { hasRole } from "../me.js";
import { strings } from "../strings.js";
import type { PageProps } from "../place.js";

export interface AdminPage {
  /** As in `#/users`. */
  readonly id: string;
  readonly label: string;
  readonly isOpenTo: (me: Me) => boolean;
  readonly View: LazyExoticComponent<ComponentType<PageProps>>;
}

const { pages } = strings;
const operators = (me: Me): boolean => hasRole(me, "operator");
const admins = (me: Me): boolean => hasRole(me, "admin");

/** One's own account: not in the menu, but behind one's name. */
export const ACCOUNT: AdminPage = {
  ...{ id: "account", label: pages.account, isOpenTo: ({ kind }) => kind === "user" },
  View: lazy(() => import("./account-page.js").then(({ AccountPage }) => ({ default: AccountPage }))),
};

const ADMINISTRATION: readonly AdminPage[] = [
  {
    ...{ id: "paths", label: pages.paths, isOpenTo: admins },
    View: lazy(() => import("./paths-page.js").then(({ PathsPage }) => ({ default: PathsPage }))),
  },
  {
    ...{ id: "shares", label: pages.shares, isOpenTo: operators },
    View: lazy(() => import("./shares-page.js").then(({ SharesPage }) => ({ default: SharesPage }))),
  },
  {
    ...{ id: "users", label: pages.users, isOpenTo: admins },
    View: lazy(() => import("./users-page.js").then(({ UsersPage }) => ({ default: UsersPage }))),
  },
  {
    ...{ id: "tokens", label: pages.tokens, isOpenTo: admins },
    View: lazy(() => import("./tokens-page.js").then(({ TokensPage }) => ({ default: TokensPage }))),
  },
  {
    ...{ id: "sessions", label: pages.sessions, isOpenTo: admins },
    View: lazy(() => import("./sessions-page.js").then(({ SessionsPage }) => ({ default: SessionsPage }))),
  },
  {
    ...{ id: "audit", label: pages.audit, isOpenTo: admins },
    View: lazy(() => import("./audit-page.js").then(({ AuditPage }) => ({ default: AuditPage }))),
  },
];

/** The menu "Administration", as far as it is open to somebody. */
export function administrationFor(me: Me): readonly AdminPage[] {
  return ADMINISTRATION.filter(({ isOpenTo }) => isOpenTo(me));
}

export function findPage(me: Me, id: string): AdminPage | undefined {
  return [ACCOUNT, ...ADMINISTRATION].find((page) => page.id === id && page.isOpenTo(me));
}
