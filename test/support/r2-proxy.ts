/**
 * R2 as far as tests need it: a proxy in front of an S3 server that adds R2's own rules, can do every kind of harm,
 * and records what was asked of it. Signatures stay valid, because the Host header that was signed is passed on.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";

import { createFaultList, type Fault, type FaultRule } from "./r2-proxy-faults.js";
import { createR2Rules, isComplete, type R2Rules, type Refusal, urlOf } from "./r2-rules.js";
import { signS3Request } from "./sign-s3-request.js";
import type { S3Server } from "./versitygw.js";

export interface RecordedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly startedAtMs: number;
  /** Of the body, as far as it came. */
  bytes: number;
  /** Of the answer; undefined while there is none. */
  status: number | undefined;
}

export interface R2Proxy {
  readonly endpoint: string;
  readonly requests: readonly RecordedRequest[];
  inject(rule: FaultRule): void;
  /** Takes back every fault (what hangs is read from now on, still unanswered) and forgets the requests. */
  reset(): void;
  openConnections(): number;
  /** Closes the port and all connections, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  stop(): Promise<void>;
}

export interface R2ProxyOptions {
  readonly server: S3Server;
  /** R2: one second. */
  readonly writeIntervalMs?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: RecordedRequest;
  readonly fault: Fault | undefined;
}

interface Backend {
  readonly server: S3Server;
  readonly rules: R2Rules;
  /** A connection that is not read does not show that it was closed. */
  readonly unread: Set<IncomingMessage>;
}

export async function startR2Proxy(options: R2ProxyOptions): Promise<R2Proxy> {
  const faults = createFaultList();
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  const backend: Backend = {
    server: options.server,
    rules: createR2Rules({ writeIntervalMs: options.writeIntervalMs ?? 1_000 }),
    unread: new Set(),
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = "", url = "", headers } = request;
    const record: RecordedRequest = {
      method,
      url,
      headers,
      startedAtMs: performance.now(),
      bytes: 0,
      status: undefined,
    };
    requests.push(record);
    request.on("data", (chunk: Buffer) => (record.bytes += chunk.length)).pause();
    // A client that goes away mid-request is part of the game.
    for (const stream of [request, response]) stream.on("error", () => undefined);
    handle(backend, { request, response, record, fault: faults.take({ method, url }) }).catch(() => {
      request.socket.destroy();
    });
  };
  const front = options.tls ? https.createServer(options.tls, onRequest) : http.createServer(onRequest);
  front.requestTimeout = 0;
  front.on("connection", (socket: Socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
  });
  await listen(front, 0);
  const { port } = front.address() as AddressInfo;
  const refuse = async (): Promise<void> => {
    const closed = new Promise((resolve) => front.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    endpoint: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    requests,
    inject: (rule) => faults.add(rule),
    reset: () => {
      faults.clear();
      requests.length = 0;
      for (const request of backend.unread) request.resume();
      backend.unread.clear();
    },
    openConnections: () => sockets.size,
    refuse,
    accept: () => listen(front, port),
    stop: async () => {
      if (front.listening) await refuse();
    },
  };
}

function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function handle(backend: Backend, exchange: Exchange): Promise<void> {
  const { request, response, fault } = exchange;
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
  await passBack(backend, exchange, upstream);
}

/** R2 keeps keys in NFC; a key that is not gets a new signature, because its name is part of the old one. */
function send(backend: Backend, { request, response }: Exchange, body: Buffer | undefined): Promise<IncomingMessage> {
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
    if (body === undefined) request.pipe(upstream);
    else upstream.end(body);
  });
}

async function passBack(backend: Backend, exchange: Exchange, upstream: IncomingMessage): Promise<void> {
  const { request, response, record, fault } = exchange;
  const status = upstream.statusCode ?? 502;
  const headers: OutgoingHttpHeaders = { ...upstream.headers };
  delete headers.connection;
  if (fault?.kind === "reset-after-body") {
    await drain(upstream);
    request.socket.resetAndDestroy();
    return;
  }
  if (fault?.kind === "flip") await flipByte(path.join(path.dirname(backend.server.bucketDir), keyPathOf(request)));
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
  upstream.pipe(response);
}

function keyPathOf(request: IncomingMessage): string {
  return decodeURIComponent(urlOf(request).pathname);
}

async function flipByte(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, 0);
    await handle.write(Buffer.from([byte.readUInt8() ^ 0xff]), 0, 1, 0);
  } finally {
    await handle.close();
  }
}

/** Reads the body, or `enough` bytes of it; hex MD5 of what came. */
async function drain(stream: IncomingMessage, enough = Infinity): Promise<string> {
  const md5 = createHash("md5");
  let bytes = 0;
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      md5.update(chunk);
      bytes += chunk.length;
    } else if (!stream.readableEnded) {
      await anyOf(stream, ["readable", "end", "close"]);
    }
    if (stream.readableEnded || bytes >= enough) return md5.digest("hex");
    if (stream.destroyed) throw new Error("the client went away");
  }
}

function anyOf(stream: IncomingMessage, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

function repeat(intervalMs: number, response: ServerResponse, act: () => void): void {
  const timer = setInterval(act, intervalMs);
  response.once("close", () => clearInterval(timer));
}

function sendError(exchange: Exchange, { status, code }: Refusal): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  exchange.response.setHeader("content-type", "application/xml");
  answer(exchange, status, xml);
}

function answer({ request, response, record }: Exchange, status: number, body = ""): void {
  record.status = status;
  response.writeHead(status, { "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}
