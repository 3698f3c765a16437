/** A TCP proxy whose connections can go dead without being closed, as behind a router that lost its table. */
import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface HalfOpenProxy {
  readonly port: number;
  /** From now on nothing passes on the connections that are open; new ones work. Returns how many they are. */
  vanish(): number;
  stop(): Promise<void>;
}

/** The caller stops it. */
export async function startHalfOpenProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<HalfOpenProxy> {
  const open = new Map<Socket, Socket>();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    open.set(client, upstream);
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => undefined);
      one.once("close", () => {
        open.delete(client);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    vanish: () => {
      for (const [client, upstream] of open) {
        client.unpipe(upstream).pause();
        upstream.unpipe(client).pause();
      }
      return open.size;
    },
    stop: async () => {
      for (const client of open.keys()) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
