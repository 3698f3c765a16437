/** A process that supervises a MediaMTX until it is killed: `node supervised.mjs OPTIONS_JSON API_PORT`. */
import { systemClock } from "../../../dist/platform/clock.js";
import { silentLogger } from "../../../dist/platform/logger.js";
import { MediaMtxSupervisor } from "../../../dist/mediamtx/supervisor.js";

const options = { ...JSON.parse(process.argv[2]), env: process.env };
const probe = (signal) => fetch(`http://127.0.0.1:${process.argv[3]}/v3/info`, { signal });
const supervisor = new MediaMtxSupervisor({ log: silentLogger, clock: systemClock, probe }, options);
const { pid } = await supervisor.start();
await supervisor.waitUntilReady(AbortSignal.timeout(10_000));
process.stdout.write(`supervising ${pid}\n`);
setInterval(() => undefined, 1_000);
