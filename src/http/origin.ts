import type { IncomingMessage } from "node:http";

/** As the client called us. A proxy that speaks HTTPS to it says so; who lies there deceives himself. */
export function originOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return `${scheme}://${headers.host ?? ""}`;
}
