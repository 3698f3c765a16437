/** In a thread of its own: viewers that each ask for a playlist, and then for what it names, here and there. */
import { Agent, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const { url, target, viewers } = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: viewers });
let isOver = false;
const done = { playlists: 0, ranges: 0, bytes: 0, failures: 0 };

parentPort.once("message", () => (isOver = true));
await Promise.all(Array.from({ length: viewers }, (_, number) => watch(number)));
agent.destroy();
parentPort.postMessage(done);

async function watch(number) {
  // Not all at the same moment: people come one by one.
  await new Promise((resolve) => setTimeout(resolve, number * 20));
  while (!isOver) {
    const playlist = await get(target);
    done.playlists += 1;
    const named = [...playlist.toString().matchAll(/#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)/g)];
    const from = Math.floor(Math.random() * Math.max(1, named.length - 20));
    for (const [, size, offset, uri] of named.slice(from, from + 20)) {
      if (isOver) return;
      const end = Number(offset) + Number(size) - 1;
      const bytes = await get(`/api/v1/${uri}`, { range: `bytes=${offset}-${String(end)}` });
      done.ranges += 1;
      done.bytes += bytes.length;
      // A player has some seconds in hand, at 4 times the speed.
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function get(path, headers = {}) {
  return new Promise((resolve) => {
    const failed = () => {
      done.failures += 1;
      resolve(Buffer.alloc(0));
    };
    const outgoing = request(url + path, { agent, headers }, (incoming) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.once("error", failed);
      incoming.once("end", () => {
        if (incoming.statusCode === 200 || incoming.statusCode === 206) resolve(Buffer.concat(chunks));
        else failed();
      });
    });
    outgoing.once("error", failed);
    outgoing.end();
  });
}
