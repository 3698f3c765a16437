/** Login elsewhere, by OpenID Connect. */
import { type GroupRole, parseGroupRoles } from "../core/group-roles.js";
import { refuse } from "./env.js";
import { type Reader, readSafeUrl } from "./reader.js";

export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly groupRoles: readonly GroupRole[];
  readonly groupsClaim: string;
  readonly scopes: string;
}

const NEEDED_BY_OIDC = ["PUBLIC_URL", "OIDC_CLIENT_ID", "OIDC_ROLES"] as const;

/** Null: nobody logs in elsewhere. All is checked even then. */
export function readOidc(read: Reader): OidcConfig | null {
  const issuer = readSafeUrl(read, "OIDC_ISSUER");
  const scopes = read.matching("OIDC_SCOPES", "openid profile email", /^[!-~]+( [!-~]+)*$/);
  if (!scopes.split(" ").includes("openid")) throw refuse("OIDC_SCOPES", scopes);
  const oidc = {
    clientId: read.matching("OIDC_CLIENT_ID", "", /^[!-~]+$/),
    groupRoles: readGroupRoles(read),
    groupsClaim: read.matching("OIDC_GROUPS_CLAIM", "groups", /^[\w.:/-]+$/),
    scopes,
  };
  if (issuer === null) return null;
  for (const name of NEEDED_BY_OIDC) if (read.text(name) === undefined) throw refuse(name, "");
  return { issuer, ...oidc };
}

function readGroupRoles(read: Reader): readonly GroupRole[] {
  const text = read.text("OIDC_ROLES") ?? "";
  try {
    return parseGroupRoles(text);
  } catch (error) {
    throw error instanceof RangeError ? refuse("OIDC_ROLES", text, error.message) : error;
  }
}
