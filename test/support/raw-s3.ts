/** S3 as plain as HTTP is: one signed request on a connection of its own, and nothing that a client library would add. */
import http from "node:http";

import { signS3Request } from "./sign-s3-request.js";
import type { S3Server } from "./versitygw.js";

interface RawRequest {
  readonly method: string;
  /** Below the bucket: key and query, percent-encoded. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Sends the body in HTTP's own chunks, without a length. */
  readonly withoutLength?: boolean;
  /** Ends the request; it fails then. */
  readonly signal?: AbortSignal;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Interim answers before it. */
  readonly continues: number;
}

export type AskS3 = (request: RawRequest) => Promise<RawAnswer>;

/** Rejects with the error of the connection when no whole answer comes. */
export function rawS3(endpoint: string, server: S3Server): AskS3 {
  return (raw) => {
    const { hostname, port, host } = new URL(endpoint);
    const target = `/${server.bucket}/${raw.target}`;
    const body = Buffer.from(raw.body ?? "");
    const own = {
      host,
      "x-amz-date": new Date().toISOString().replaceAll(/[-:]|\.\d+/g, ""),
      ...(raw.withoutLength === true ? {} : { "content-length": String(body.length) }),
      ...raw.headers,
    };
    const headers = { ...signS3Request(server, { method: raw.method, target, headers: own }), ...raw.headers };
    return new Promise((resolve, reject) => {
      let continues = 0;
      const options = { hostname, port, method: raw.method, path: target, headers, agent: false, signal: raw.signal };
      const request = http.request(options as http.RequestOptions, (response) => {
        response.toArray().then((chunks: Buffer[]) => {
          const text = Buffer.concat(chunks).toString("latin1");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, continues });
        }, reject);
      });
      request.on("continue", () => (continues += 1)).on("error", reject);
      if (raw.withoutLength === true) request.write(body);
      request.end(raw.withoutLength === true ? undefined : body);
    });
  };
}
