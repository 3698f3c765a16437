/** Requests over one connection that is kept open, each timed until its last byte is here. */
import { Agent, request } from "node:http";

import { percentile } from "./report.js";

export interface Timing {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Asks once for each target, after some that only warm up. Throws for any answer but 200. */
export async function timeRequests(baseUrl: string, targets: readonly string[], warmUp = 20): Promise<Timing> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const timesMs: number[] = [];
  try {
    for (const target of targets.slice(0, warmUp)) await get(agent, baseUrl + target);
    for (const target of targets) {
      const startedMs = performance.now();
      await get(agent, baseUrl + target);
      timesMs.push(performance.now() - startedMs);
    }
  } finally {
    agent.destroy();
  }
  return { p50Ms: percentile(timesMs, 0.5), p99Ms: percentile(timesMs, 0.99) };
}

function get(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent }, (incoming) => {
      let bytes = 0;
      incoming.on("data", (chunk: Buffer) => (bytes += chunk.length));
      incoming.once("error", reject);
      incoming.once("end", () => {
        if (incoming.statusCode === 200 && bytes > 0) resolve(bytes);
        else reject(new Error(`${url} answers ${incoming.statusCode ?? 0} with ${bytes} bytes`));
      });
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
