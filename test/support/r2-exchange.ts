/** One request through the R2 proxy: the rules first, then the fault, then the server behind it. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import path from "node:path";
import { Transform } from "node:stream";

import { errorDocument, type S3Refusal } from "./r2-errors.js";
import type { Fault } from "./r2-proxy-faults.js";
import { isComplete, type R2Rules, urlOf } from "./r2-rules.js";
import { signS3Request } from "./sign-s3-request.js";
import type { S3Server } from "./versitygw.js";

export interface RecordedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly startedAtMs: number;
  readonly fault: Fault | undefined;
  /** Of the body, as far as it came. */
  bytes: number;
  /** Of the answer; undefined while there is none. */
  status: number | undefined;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: RecordedRequest;
}

export interface Backend {
  readonly server: S3Server;
  readonly rules: R2Rules;
  /** A connection that is not read does not show that it was closed. */
  readonly unread: Set<IncomingMessage>;
  /** Keys of objects that hold other bytes than were sent. */
  readonly flipped: Set<string>;
}

const SLOW_PIECES_PER_SEC = 20;

export async function handleExchange(backend: Backend, exchange: Exchange): Promise<void> {
  const { request, response, record } = exchange;
  const { fault } = record;
  const refusal = backend.rules.check(request);
  if (refusal !== undefined) {
    await drain(request);
    sendError(exchange, refusal);
    return;
  }
  switch (fault?.kind) {
    case "status":
      await drain(request);
      if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
      sendError(exchange, { status: fault.status, code: fault.code ?? "InternalError" });
      return;
    case "hang-before-body":
      backend.unread.add(request);
      return;
    case "hang-after-body":
      await drain(request);
      return;
    case "reset-at":
      await drain(request, fault.bytes);
      request.socket.resetAndDestroy();
      return;
    case "error-in-200":
      await drain(request);
      sendError(exchange, { status: 200, code: "InternalError" });
      return;
    case "empty-200":
      await drain(request);
      answer(exchange, 200);
      return;
    case "swallow":
      response.setHeader("etag", `"${await drain(request)}"`);
      answer(exchange, 200);
      return;
    case "drip":
      if (request.method !== "PUT") break;
      await drain(request);
      repeat(fault.intervalMs, response, () => response.writeContinue());
      return;
    case "hang-after-store":
    case "slow":
    case "reset-after-body":
    case "flip":
    case "headers":
    case "rewrite":
    case "truncate":
    case "stall":
    case undefined:
      break;
  }
  await forward(backend, exchange);
}

async function forward(backend: Backend, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  let body: Buffer | undefined;
  if (isComplete(request)) {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    body = Buffer.concat(chunks);
    const refusal = backend.rules.checkComplete(urlOf(request), body.toString());
    if (refusal !== undefined) {
      sendError(exchange, refusal);
      return;
    }
  }
  const upstream = await send(backend, exchange, body);
  if ((upstream.statusCode ?? 500) < 300) backend.rules.noteStored(request, exchange.record.bytes);
  // R2: a Complete whose condition fails ends the upload.
  if (isComplete(request) && upstream.statusCode === 412) await abortUpload(backend, request);
  await passBack(backend, exchange, upstream);
}

/** R2 keeps keys in NFC; a key that is not gets a new signature, because its name is part of the old one. */
function send(backend: Backend, exchange: Exchange, body: Buffer | undefined): Promise<IncomingMessage> {
  const { request, response, record } = exchange;
  const url = urlOf(request);
  const normalised = decodeURIComponent(url.pathname).normalize("NFC");
  let { headers } = request;
  let target = request.url ?? "/";
  if (normalised !== decodeURIComponent(url.pathname)) {
    target = normalised.split("/").map(encodeURIComponent).join("/") + url.search;
    headers = signS3Request(backend.server, { method: request.method ?? "", target, headers });
  }
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(backend.server.endpoint);
    const upstream = http.request({ hostname, port, method: request.method, path: target, headers, agent: false });
    upstream.once("response", resolve).once("error", reject);
    response.once("close", () => upstream.destroy());
    if (body !== undefined) upstream.end(body);
    else if (record.fault?.kind === "slow") request.pipe(slowly(record.fault.bytesPerSec)).pipe(upstream);
    else request.pipe(upstream);
  });
}

function abortUpload(backend: Backend, request: IncomingMessage): Promise<void> {
  const target = request.url ?? "/";
  const { host, authorization, "x-amz-date": date } = request.headers;
  const headers = signS3Request(backend.server, {
    ...{ method: "DELETE", target },
    headers: { host, authorization, "x-amz-date": date },
  });
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(backend.server.endpoint);
    const ended = (response: IncomingMessage): void => void response.resume().once("close", resolve);
    http
      .request({ hostname, port, method: "DELETE", path: target, headers, agent: false }, ended)
      .once("error", reject)
      .end();
  });
}

async function passBack(backend: Backend, exchange: Exchange, upstream: IncomingMessage): Promise<void> {
  const { request, response, record } = exchange;
  const { fault } = record;
  const status = upstream.statusCode ?? 502;
  const headers: OutgoingHttpHeaders = { ...upstream.headers };
  delete headers.connection;
  if (fault?.kind === "hang-after-store") {
    await drain(upstream);
    return;
  }
  if (fault?.kind === "reset-after-body") {
    await drain(upstream);
    request.socket.resetAndDestroy();
    return;
  }
  // Only what this request stored: a refused one leaves what stands there as it is.
  if (fault?.kind === "flip" && status < 300) await flipByte(backend, request);
  if (fault?.kind === "headers") Object.assign(headers, fault.headers);
  if (fault?.kind === "rewrite") {
    const text = Buffer.concat(await upstream.toArray()).toString();
    answer(exchange, status, text.replace(fault.find, fault.replace));
    return;
  }
  record.status = status;
  response.writeHead(status, headers);
  if (fault?.kind === "truncate" || fault?.kind === "stall") {
    const bytes = Buffer.concat(await upstream.toArray());
    response.write(bytes.subarray(0, bytes.length / 2), () => {
      if (fault.kind === "truncate") request.socket.destroy();
    });
    return;
  }
  if (fault?.kind === "drip") {
    const bytes = Buffer.concat(await upstream.toArray());
    let sent = 0;
    response.flushHeaders();
    repeat(fault.intervalMs, response, () => response.write(bytes.subarray(sent, (sent += 1))));
    return;
  }
  if (fault?.kind === "slow") upstream.pipe(slowly(fault.bytesPerSec)).pipe(response);
  else upstream.pipe(response);
}

async function flipByte(backend: Backend, request: IncomingMessage): Promise<void> {
  const bucketAndKey = decodeURIComponent(urlOf(request).pathname);
  const handle = await open(path.join(path.dirname(backend.server.bucketDir), bucketAndKey), "r+");
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, 0);
    await handle.write(Buffer.from([byte.readUInt8() ^ 0xff]), 0, 1, 0);
  } finally {
    await handle.close();
  }
  backend.flipped.add(bucketAndKey.split("/").slice(2).join("/"));
}

function slowly(bytesPerSec: number): Transform {
  const pieceBytes = Math.max(1, Math.floor(bytesPerSec / SLOW_PIECES_PER_SEC));
  const transform = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      let at = 0;
      const pass = (): void => {
        if (transform.destroyed) return;
        transform.push(chunk.subarray(at, (at += pieceBytes)));
        setTimeout(() => (at < chunk.length ? pass() : done()), 1_000 / SLOW_PIECES_PER_SEC);
      };
      pass();
    },
  });
  return transform;
}

/** Reads the body, or `enough` bytes of it; hex MD5 of what came. Throws when the other side goes away. */
async function drain(stream: IncomingMessage, enough = Infinity): Promise<string> {
  const md5 = createHash("md5");
  let bytes = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    md5.update(chunk);
    bytes += chunk.length;
    if (bytes >= enough) break;
  }
  return md5.digest("hex");
}

function repeat(intervalMs: number, response: ServerResponse, act: () => void): void {
  const timer = setInterval(act, intervalMs);
  response.once("close", () => clearInterval(timer));
}

function sendError(exchange: Exchange, { status, code }: S3Refusal): void {
  exchange.response.setHeader("content-type", "application/xml");
  answer(exchange, status, errorDocument(code));
}

function answer({ request, response, record }: Exchange, status: number, body = ""): void {
  record.status = status;
  response.writeHead(status, { "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}
