/** Whoever once signed a URL, as they are now. */
import type { Principal, PrincipalKind } from "../core/principal.js";

export interface Principals {
  /** Undefined: there is no such principal (any more), or it is disabled, revoked or over. */
  find(kind: PrincipalKind, id: string): Promise<Principal | undefined>;
}
