/** Listens and stops. */
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import { AppError, describeError } from "../core/errors.js";
import { type CertificateFiles, followCertificate, type FollowOptions, readCertificate } from "./tls.js";

const HEADERS_LIMIT_BYTES = 16 * 1_024;
const HEADERS_TIMEOUT_MS = 15_000;
/** A viewer who takes no byte for this long is gone, or pauses and asks again with a Range; either way the file is closed. */
const STALLED_MS = 120_000;

const SWEEP_MS = 50;

/** The listening server and what it is reached by. */
export interface Listening {
  readonly port: number;
  /** Ends idle connections at once and running answers after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Sockets on which nothing moves for this long are closed. */
  readonly stalledMs?: number;
}

/** Throws `failed-precondition` when the port is taken. */
export function listen(app: RequestListener, where: ListenOptions): Promise<Listening> {
  return listenWith(createServer({ maxHeaderSize: HEADERS_LIMIT_BYTES }, app), where);
}

/** HTTPS. Throws `failed-precondition` when the port is taken or the certificate cannot be used. */
export async function listenTls(
  app: RequestListener,
  where: ListenOptions & CertificateFiles & FollowOptions,
): Promise<Listening> {
  const used = await readCertificate(where);
  const server = createTlsServer({ maxHeaderSize: HEADERS_LIMIT_BYTES, ...used }, app);
  const listening = await listenWith(server, where);
  const unfollow = followCertificate(server, { ...where, used });
  return {
    port: listening.port,
    stop: (graceMs) => {
      unfollow();
      return listening.stop(graceMs);
    },
  };
}

function listenWith(server: Server, where: ListenOptions): Promise<Listening> {
  server.on("clientError", answerUnreadable);
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.timeout = where.stalledMs ?? STALLED_MS;
  return new Promise((resolve, reject) => {
    // Stays for good: an `accept` that fails later (too many open files) must not end the process (F52).
    server.on("error", (error) =>
      reject(
        new AppError({
          kind: "failed-precondition",
          message: `listen on ${where.host} port ${String(where.port)}: ${describeError(error)}`,
          hint: "set PORT, TLS_PORT and HOST to an address of this machine that is free",
          cause: error,
        }),
      ),
    );
    server.listen(where.port, where.host, () =>
      resolve({ port: (server.address() as AddressInfo).port, stop: (graceMs) => stopServer(server, graceMs) }),
    );
  });
}

const UNREADABLE: Readonly<Record<string, readonly [status: number, title: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Headers too large", "URL and headers are longer than 16 KiB together"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request timeout", "the request did not come to its end in time"],
};

/** What never became a request: Node would end it without a word of why. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, title, detail] = UNREADABLE[error.code ?? ""] ?? [400, "Bad request", "this is not HTTP"];
  const body = JSON.stringify({ type: "urn:reelkeeper:problem:invalid-argument", title, status, detail });
  const head = [
    `HTTP/1.1 ${String(status)} ${title}`,
    ...["Connection: close", "Content-Type: application/problem+json; charset=utf-8"],
    `Content-Length: ${String(body.length)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

async function stopServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // One that was busy a moment ago would else be kept open for a next request that may not come.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
