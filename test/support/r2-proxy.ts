/**
 * R2 as far as tests need it: a proxy in front of an S3 server that adds R2's own rules, can do every kind of harm,
 * and records what was asked of it. Signatures stay valid, because the Host header that was signed is passed on.
 */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";

import { freePorts } from "./free-port.js";
import { type Backend, handleExchange, type RecordedRequest } from "./r2-exchange.js";
import { createFaultList, type FaultRule } from "./r2-proxy-faults.js";
import { createR2Rules } from "./r2-rules.js";
import type { S3Server } from "./versitygw.js";

export interface R2Proxy {
  readonly endpoint: string;
  readonly requests: readonly RecordedRequest[];
  /** Keys of the objects that were changed after they were stored. */
  readonly flipped: ReadonlySet<string>;
  inject(...rules: readonly FaultRule[]): void;
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
  /** For faults with a rate: the same seed draws the same, request by request. */
  readonly seed?: number;
}

export async function startR2Proxy(options: R2ProxyOptions): Promise<R2Proxy> {
  const faults = createFaultList(options.seed);
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  const backend: Backend = {
    server: options.server,
    rules: createR2Rules({ writeIntervalMs: options.writeIntervalMs ?? 1_000 }),
    unread: new Set(),
    flipped: new Set(),
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = "", url = "", headers } = request;
    const record: RecordedRequest = {
      ...{ method, url, headers, startedAtMs: performance.now(), fault: faults.take({ method, url }) },
      bytes: 0,
      status: undefined,
    };
    requests.push(record);
    request.on("data", (chunk: Buffer) => (record.bytes += chunk.length)).pause();
    // A client that goes away mid-request is part of the game.
    for (const stream of [request, response]) stream.on("error", () => undefined);
    handleExchange(backend, { request, response, record }).catch(() => {
      request.socket.destroy();
    });
  };
  const front = options.tls ? https.createServer(options.tls, onRequest) : http.createServer(onRequest);
  front.requestTimeout = 0;
  front.on("connection", (socket: Socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
  });
  // One that nobody else gets while it is refused.
  const [port = 0] = await freePorts(1);
  await listen(front, port);
  const refuse = async (): Promise<void> => {
    const closed = new Promise((resolve) => front.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    endpoint: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    requests,
    flipped: backend.flipped,
    inject: (...rules) => {
      for (const rule of rules) faults.add(rule);
    },
    reset: () => {
      faults.clear();
      requests.length = 0;
      for (const request of backend.unread) request.resume();
      backend.unread.clear();
    },
    openConnections: () => sockets.size,
    refuse,
    accept: () => (front.listening ? Promise.resolve() : listen(front, port)),
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
