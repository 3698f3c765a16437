/** In a thread of its own: viewers that each ask for a playlist, and then for what it names, here and there. */
import { parentPort, workerData } from "node:worker_threads";

import { LightConnection } from "./light-connection.mjs";

const { url, target, viewers } = workerData;
let isOver = false;
const done = { playlists: 0, ranges: 0, bytes: 0, failures: 0 };

parentPort.once("message", () => (isOver = true));
await Promise.all(Array.from({ length: viewers }, (_, number) => watch(number)));
parentPort.postMessage(done);

async function watch(number) {
  // Not all at the same moment: people come one by one.
  await new Promise((resolve) => setTimeout(resolve, number * 20));
  const connection = new LightConnection(url);
  while (!isOver) {
    const playlist = counted(await connection.get(target, { isKept: true }));
    done.playlists += 1;
    const named = [...playlist.text.matchAll(/#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)/g)];
    const from = Math.floor(Math.random() * Math.max(1, named.length - 20));
    for (const [, size, offset, uri] of named.slice(from, from + 20)) {
      if (isOver) break;
      const range = `bytes=${offset}-${String(Number(offset) + Number(size) - 1)}`;
      const { bytes } = counted(await connection.get(`/api/v1/${uri}`, { range }));
      done.bytes += bytes;
      done.ranges += 1;
      // A player has some seconds in hand, at 4 times the speed.
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  connection.close();
}

function counted(answer) {
  if (!answer.isWhole) done.failures += 1;
  return answer;
}
