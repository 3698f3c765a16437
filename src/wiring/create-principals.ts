/** Whoever can have signed a URL, looked up anew at each use of it. */
import { ADMIN_TOKEN, THIS_MACHINE, type AccessRules } from "../access/caller.js";
import type { Identity } from "../access/identity.js";
import type { Principals } from "../access/principals.js";
import type { Catalog } from "../catalog/catalog.js";
import { findShare, isOpenShare } from "../catalog/shares.js";
import type { PathPattern } from "../core/path-pattern.js";
import type { Principal } from "../core/principal.js";

/** `identity`: null while nobody logs in. */
export function createPrincipals(
  catalog: Catalog,
  { adminToken }: Pick<AccessRules, "adminToken">,
  identity: Pick<Identity, "find"> | null,
): Principals {
  return {
    find: async (kind, id) => {
      if (kind === "share") return shareOf(catalog, id);
      if (kind === "token" && id === ADMIN_TOKEN.id) return adminToken === null ? undefined : ADMIN_TOKEN;
      if (identity !== null) return identity.find(kind, id);
      return adminToken === null && kind === "machine" && id === THIS_MACHINE.id ? THIS_MACHINE : undefined;
    },
  };
}

async function shareOf(catalog: Catalog, id: string): Promise<Principal | undefined> {
  const share = await findShare(catalog, id);
  if (!isOpenShare(share, catalog.clock.nowUs())) return undefined;
  const { path, fromUs, toUs, label } = share;
  return {
    kind: "share",
    id,
    name: label === "" ? "a share link" : label,
    role: "viewer",
    // A path is a pattern of itself.
    scopes: [[path as string as PathPattern]],
    range: { fromUs, toUs },
    sessionId: null,
  };
}
