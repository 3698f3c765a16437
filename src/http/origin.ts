import type { Request } from "express";

import type { Hardening } from "./hardening.js";

/** Our own address for links: as the deployer names it, else as the client, or a proxy that is trusted, called us. */
export function originOf({ secure, headers }: Pick<Request, "secure" | "headers">, { publicUrl }: Hardening): string {
  return publicUrl ?? `${secure ? "https" : "http"}://${headers.host ?? ""}`;
}
