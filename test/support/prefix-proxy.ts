/** A reverse proxy of a host that Reelkeeper shares with others: it lives below a path, everything else is a neighbour. */
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface PrefixProxy {
  /** Of the host, without a slash at the end. */
  readonly url: string;
  /** Whether the path is taken off before Reelkeeper is asked; a test changes it. */
  takesOff: boolean;
  /** Method and URL of everything that the host was asked for. */
  readonly asked: string[];
  /** What went to the neighbours. */
  strayed(): readonly string[];
  stop(): Promise<void>;
}

export interface PrefixProxyOptions {
  /** Such as `/reelkeeper`. */
  readonly prefix: string;
  readonly port: number;
}

/** The caller stops it. */
export async function startPrefixProxy({ prefix, port }: PrefixProxyOptions): Promise<PrefixProxy> {
  const asked: string[] = [];
  const isOurs = (url: string): boolean => url === prefix || url.startsWith(`${prefix}/`);
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    asked.push(`${method} ${url}`);
    if (!isOurs(url)) {
      response.writeHead(404).end("a neighbour");
      return;
    }
    pass(request, response, { port, path: proxy.takesOff ? url.slice(prefix.length) : url });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: PrefixProxy = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    takesOff: true,
    asked,
    strayed: () => asked.filter((line) => !isOurs(line.slice(line.indexOf(" ") + 1))),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  { port, path }: { readonly port: number; readonly path: string },
): void {
  const { method, headers, socket } = request;
  const forwarded = { "x-forwarded-for": socket.remoteAddress ?? "", "x-forwarded-proto": "http" };
  const upstream = ask({ host: "127.0.0.1", port, method, path, headers: { ...headers, ...forwarded } }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
    answer.once("error", () => response.destroy());
  });
  upstream.once("error", () => response.destroy());
  response.once("close", () => upstream.destroy());
  request.pipe(upstream);
}
