/** AWS Signature Version 4 for a request without a signed body. */
import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import type { S3Server } from "./versitygw.js";

const PAYLOAD = "UNSIGNED-PAYLOAD";

export interface UnsignedRequest {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly target: string;
  /** With `host` and `x-amz-date`. */
  readonly headers: IncomingHttpHeaders;
}

/** The same headers with another signature. */
export function signS3Request(server: S3Server, { method, target, headers }: UnsignedRequest): IncomingHttpHeaders {
  const at = String(headers["x-amz-date"]);
  const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "us-east-1";
  const scope = `${at.slice(0, 8)}/${region}/s3/aws4_request`;
  const signed: IncomingHttpHeaders = { ...headers, "x-amz-content-sha256": PAYLOAD };
  const names = Object.keys(signed)
    .filter((name) => name === "host" || name.startsWith("x-amz-"))
    .sort();
  const [pathname = "/", query = ""] = target.split("?");
  const canonical = [
    method,
    pathname,
    query
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${String(signed[name]).trim()}`),
    "",
    names.join(";"),
    PAYLOAD,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", at, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  let key: Buffer = Buffer.from(`AWS4${server.secretAccessKey}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const credential = `Credential=${server.accessKeyId}/${scope}`;
  return {
    ...signed,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}
