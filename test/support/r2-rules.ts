/**
 * R2's own rules that a general S3 server does not have: no aws-chunked bodies, no tagging, a length on every PUT,
 * equal parts, one write per second and key, small metadata, short keys.
 */
import type { IncomingMessage } from "node:http";

import { r2Refusal, type S3Refusal } from "./r2-errors.js";

export interface R2Rules {
  /** Before the body is read. */
  check(request: IncomingMessage): S3Refusal | undefined;
  /** Before a Complete is forwarded; `body` is its XML. */
  checkComplete(url: URL, body: string): S3Refusal | undefined;
  /** After the server took it. */
  noteStored(request: IncomingMessage, bytes: number): void;
}

const NOT_IMPLEMENTED: S3Refusal = { status: 501, code: "NotImplemented" };
const MAX_METADATA_BYTES = 8_192;
const MAX_KEY_BYTES = 1_024;
const METADATA = "x-amz-meta-";

export function createR2Rules(options: { readonly writeIntervalMs: number }): R2Rules {
  const writtenAtMs = new Map<string, number>();
  const partBytes = new Map<string, Map<number, number>>();

  const isTooSoon = (pathname: string): boolean => {
    const before = writtenAtMs.get(pathname);
    return before !== undefined && performance.now() - before < options.writeIntervalMs;
  };

  return {
    check: (request) => {
      const { headers } = request;
      const url = urlOf(request);
      if (headers["content-encoding"]?.includes("aws-chunked") === true) return NOT_IMPLEMENTED;
      if (String(headers["x-amz-content-sha256"]).startsWith("STREAMING-")) return NOT_IMPLEMENTED;
      if ("x-amz-tagging" in headers || url.searchParams.has("tagging")) return NOT_IMPLEMENTED;
      if (request.method === "PUT" && headers["content-length"] === undefined) return r2Refusal("MissingContentLength");
      if (Buffer.byteLength(keyOf(url)) > MAX_KEY_BYTES) return r2Refusal("InvalidObjectName");
      if (metadataBytes(headers) > MAX_METADATA_BYTES) return r2Refusal("MetadataTooLarge");
      if (isObjectWrite(request, url) && isTooSoon(url.pathname)) return r2Refusal("TooManyRequests");
      return undefined;
    },
    checkComplete: (url, body) => {
      const sizes = partBytes.get(url.searchParams.get("uploadId") ?? "");
      const numbers = [...body.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((match) => Number(match[1]));
      const wanted = numbers.sort((left, right) => left - right).map((number) => sizes?.get(number) ?? 0);
      const last = wanted.pop() ?? 0;
      const areEqual = wanted.every((bytes) => bytes === wanted[0]) && last <= (wanted[0] ?? last);
      return areEqual ? undefined : r2Refusal("InvalidPart");
    },
    noteStored: (request, bytes) => {
      const url = urlOf(request);
      if (isObjectWrite(request, url)) writtenAtMs.set(url.pathname, performance.now());
      const uploadId = url.searchParams.get("uploadId");
      const number = url.searchParams.get("partNumber");
      if (request.method !== "PUT" || uploadId === null || number === null) return;
      const sizes = partBytes.get(uploadId) ?? new Map<number, number>();
      partBytes.set(uploadId, sizes.set(Number(number), bytes));
    },
  };
}

export function isComplete(request: IncomingMessage): boolean {
  return request.method === "POST" && urlOf(request).searchParams.has("uploadId");
}

export function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? "/", "http://proxy");
}

/** `/bucket/key`: the key. */
function keyOf(url: URL): string {
  return decodeURIComponent(url.pathname).split("/").slice(2).join("/");
}

function metadataBytes(headers: IncomingMessage["headers"]): number {
  return Object.entries(headers)
    .filter(([name]) => name.startsWith(METADATA))
    .reduce((sum, [name, value]) => sum + name.length - METADATA.length + String(value).length, 0);
}

function isObjectWrite(request: IncomingMessage, url: URL): boolean {
  return (request.method === "PUT" && !url.searchParams.has("partNumber")) || isComplete(request);
}
