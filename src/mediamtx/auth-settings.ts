/** Who MediaMTX asks whether somebody may do something: what its own configuration says, or us. */
import { isSeq, Scalar, type YAMLMap } from "yaml";

import { AppError } from "../core/errors.js";
import { keyText } from "./base-document.js";

export type ServerAuth =
  | { readonly kind: "off" }
  /** Asks `url` each time. */
  | { readonly kind: "http"; readonly url: string }
  /** Takes tokens that a key of `url` has signed. */
  | { readonly kind: "jwt"; readonly url: string; readonly claim: string };

/** RTSP digest authentication needs plain passwords for all users. */
export function withDigest(root: YAMLMap): boolean {
  const methods = root.get("rtspAuthMethods") ?? root.get("authMethods");
  return isSeq(methods) && methods.items.some((item) => keyText(item).startsWith("digest"));
}

/** Throws `invalid-argument` for what the base says against it. */
export function setAuth(root: YAMLMap, auth: ServerAuth): void {
  // Before 1.20.1 MediaMTX's default lets anyone past an HTTP authentication server to the Control API.
  if (!root.has("authHTTPExclude") || auth.kind !== "off") root.set("authHTTPExclude", []);
  if (auth.kind === "off") return;
  if (withDigest(root)) {
    throw new AppError({
      kind: "invalid-argument",
      message: "the base configuration of MediaMTX wants RTSP digest authentication, which hides passwords from us",
      hint: "remove digest from rtspAuthMethods, or set MEDIAMTX_AUTH=off",
    });
  }
  // Long deprecated; it would win.
  root.delete("externalAuthenticationURL");
  put(root, "authMethod", auth.kind);
  if (auth.kind === "http") {
    put(root, "authHTTPAddress", auth.url);
    return;
  }
  put(root, "authJWTJWKS", auth.url);
  put(root, "authJWTClaimKey", auth.claim);
  root.set("authJWTExclude", []);
  // Tokens in URLs end up in logs; issuer and audience are not known to every version, and our keys sign nothing else.
  for (const setting of ["authJWTInHTTPQuery", "authJWTIssuer", "authJWTAudience"]) root.delete(setting);
}

/** Keeps the comment that stands beside the old value. */
function put(root: YAMLMap, setting: string, value: string): void {
  const node = new Scalar(value);
  node.type = Scalar.QUOTE_DOUBLE;
  const comment = root.get(setting, true)?.comment;
  if (comment !== undefined) node.comment = comment;
  root.set(setting, node);
}
