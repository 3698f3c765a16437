/** Inspects segment files off the main thread: walk and hashes in a worker, ffprobe where the walk cannot tell. */
import { lstat } from "node:fs/promises";

import { AppError, describeError, isAppError } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import type { Clock } from "../platform/clock.js";
import { type FfprobeSettings, probeFile } from "./ffprobe.js";
import type { InspectedFile, InspectFileRequest } from "./inspect-file.js";
import type { FileHashes, Inspection } from "./inspection.js";
import { fileError } from "./regular-file.js";
import { TS_PACKET_BYTES } from "./transport-packet.js";
import { WorkerPool } from "./worker-pool.js";
import { unpackReply } from "./worker-messages.js";

const BASE_DEADLINE_MS = 30_000;
/** 20 MB/s: a slow disk, read once. */
const BYTES_PER_MS = 20_000;

export interface InspectorDeps {
  readonly clock: Clock;
  readonly ffprobe: FfprobeSettings;
  /** Threads; default 1: one of them hashes as fast as most disks read. */
  readonly workers?: number;
  /** Compiled worker entry; tests that run from TypeScript sources give one they compiled. */
  readonly workerUrl?: URL;
}

export interface InspectedSegment {
  readonly inspection: Inspection;
  /** Null unless asked for. */
  readonly hashes: FileHashes | null;
  /** Of the bytes that were inspected; see core/file-identity.ts. */
  readonly identity: string;
}

export class Inspector {
  readonly #deps: InspectorDeps;
  readonly #pool: WorkerPool;

  constructor(deps: InspectorDeps) {
    this.#deps = deps;
    this.#pool = new WorkerPool({
      clock: deps.clock,
      size: deps.workers ?? 1,
      workerUrl: deps.workerUrl ?? new URL("./inspection-worker.js", import.meta.url),
    });
  }

  start(): void {
    this.#pool.start();
  }

  stop(): Promise<void> {
    return this.#pool.stop();
  }

  /**
   * Waits its turn (first come, first served). Throws `data-loss` with the reason when the file is no media,
   * `failed-precondition` when it changed meanwhile, `not-found`, `invalid-argument` for what is no regular file,
   * `permission-denied`, `unavailable` (try again), `cancelled`.
   */
  async inspect(request: InspectFileRequest, signal: AbortSignal): Promise<InspectedSegment> {
    const deadlineMs = BASE_DEADLINE_MS + (await sizeBytesOf(request.filePath)) / BYTES_PER_MS;
    const file = unpackReply(await this.#pool.run(request, { deadlineMs, signal }));
    const { hashes, identity } = file;
    if (file.inspection !== null) return { inspection: file.inspection, hashes, identity };
    const inspection = await this.#probe(request, file, signal);
    await requireIdentity(request.filePath, identity);
    return { inspection, hashes, identity };
  }

  async #probe(request: InspectFileRequest, file: InspectedFile, signal: AbortSignal): Promise<Inspection> {
    const { refusal } = file;
    if (refusal !== null && !refusal.isOpen) throw noMedia(request.filePath, refusal.message);
    try {
      const { tracks, durationUs } = await probeFile(this.#deps.ffprobe, request, signal);
      const wholeBytes = request.format === "mpegts" ? wholePackets(file.sizeBytes) : file.sizeBytes;
      return {
        tracks,
        startUs: null,
        position: null,
        declaredDurationUs: null,
        mediaDurationUs: durationUs,
        plausibleDurationUs: durationUs,
        finalised: request.format === "mpegts" && wholeBytes === file.sizeBytes,
        wholeBytes,
        ...(refusal === null ? {} : { tornReason: refusal.message }),
        fragments: file.streamIndex,
      };
    } catch (error) {
      if (refusal === null || isAppError(error, "cancelled")) throw error;
      throw noMedia(request.filePath, refusal.message, `second opinion: ${describeError(error)}`);
    }
  }
}

/** MPEG-TS has no mark for "finished": MediaMTX writes whole packets, so anything else was torn off. */
function wholePackets(sizeBytes: number): number {
  return sizeBytes - (sizeBytes % TS_PACKET_BYTES);
}

function noMedia(filePath: string, why: string, hint?: string): AppError {
  return new AppError({
    kind: "data-loss",
    message: `inspect ${filePath}: ${why}`,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Only for the deadline; the worker reports what is wrong with the file. */
async function sizeBytesOf(filePath: string): Promise<number> {
  try {
    return (await lstat(filePath)).size;
  } catch {
    return 0;
  }
}

async function requireIdentity(filePath: string, identity: string): Promise<void> {
  const now = await lstat(filePath, { bigint: true }).catch((error: unknown) => {
    throw fileError(error, `stat ${filePath}`);
  });
  if (fileIdentity(now) === identity) return;
  throw new AppError({ kind: "failed-precondition", message: `inspect ${filePath}: changed while read` });
}
