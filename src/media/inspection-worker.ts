/** Entry of the worker thread: answers each request with one reply. Loaded by URL from inspector.ts. */
import { parentPort } from "node:worker_threads";

import { inspectFile, type InspectFileRequest } from "./inspect-file.js";
import { packError, packResult, type WorkerReply } from "./worker-messages.js";

parentPort?.on("message", (request: InspectFileRequest) => {
  parentPort?.postMessage(answer(request));
});

function answer(request: InspectFileRequest): WorkerReply {
  try {
    return packResult(inspectFile(request));
  } catch (error) {
    return packError(error);
  }
}
