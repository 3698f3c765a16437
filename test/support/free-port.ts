/**
 * Ports for programs that are told where to listen. They lie below those that the system hands out by itself, to who
 * listens on port 0 and to each connection, so that nobody gets one before the program that it is for has bound it, or
 * while it is down; and each process takes them from a block of its own.
 */
import { createServer } from "node:net";

const FIRST_PORT = 10_000;
const BLOCK_PORTS = 100;
/** Linux hands out ports from 32,768 on, others from later ones. */
const BLOCKS = 220;

const blockStart = FIRST_PORT + (process.pid % BLOCKS) * BLOCK_PORTS;
let taken = 0;

/** All different, and none that was given a moment ago. Throws when there are not so many. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries === BLOCK_PORTS) throw new Error(`from ${blockStart} on there are no ${count} free ports`);
    const port = blockStart + (taken % BLOCK_PORTS);
    taken += 1;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
