/** What the parts of the S3 store share: which bucket, through which clients, within which times. */
import { US_PER_MS } from "../core/instant.js";
import type { Clock } from "../platform/clock.js";
import type { PutOptions, PutSource } from "./object-store.js";
import { callStore, type S3Call, type S3CallOptions } from "./s3-call.js";
import { createS3Clients, type S3Clients, type S3Credentials } from "./s3-client.js";

export interface S3StoreOptions {
  readonly endpoint: string;
  readonly bucket: string;
  /** R2: `auto`. */
  readonly region: string;
  /** All our keys lie below it; `abortStaleUploads` and `selfTest` touch nothing else. */
  readonly prefix: string;
  /** Called for every request. */
  readonly credentials: () => Promise<S3Credentials> | S3Credentials;
  readonly clock: Clock;
  readonly multipartThresholdBytes?: number;
  readonly partBytes?: number;
  readonly timeouts?: Partial<S3Timeouts>;
}

interface S3Timeouts {
  readonly connectMs: number;
  /** Without a byte either way. */
  readonly idleMs: number;
  /** For a whole request; its bytes get 1 s per MiB on top. */
  readonly requestMs: number;
}

const DEFAULT_TIMEOUTS: S3Timeouts = { connectMs: 5_000, idleMs: 30_000, requestMs: 30_000 };
/** 16 MiB, equal for all parts but the last. */
const PART_BYTES = 16 * 1_048_576;

export interface S3Target {
  readonly bucket: string;
  readonly endpoint: string;
  readonly prefix: string;
  readonly partBytes: number;
  readonly clock: Clock;
  readonly clients: S3Clients;
  readonly idleMs: number;
  call<T>(what: S3CallInit, request: (call: S3Call) => Promise<T>): Promise<T>;
  contextOf(operation: string): Omit<S3CallOptions, "signal">;
}

interface S3CallInit {
  readonly operation: string;
  readonly signal: AbortSignal;
  readonly bytes?: number;
  readonly creates?: boolean;
}

export interface S3Put {
  readonly key: string;
  readonly source: PutSource;
  readonly options: PutOptions;
}

export function createTarget(options: S3StoreOptions): S3Target {
  const { endpoint, bucket, prefix, clock } = options;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const nowMs = (): number => clock.nowUs() / US_PER_MS;
  const contextOf = (operation: string): Omit<S3CallOptions, "signal"> => ({
    operation,
    bucket,
    endpoint,
    nowMs,
    clock,
    baseMs: timeouts.requestMs,
  });
  return {
    bucket,
    endpoint,
    prefix,
    clock,
    partBytes: options.partBytes ?? PART_BYTES,
    idleMs: timeouts.idleMs,
    clients: createS3Clients({
      endpoint,
      region: options.region,
      credentials: options.credentials,
      connectTimeoutMs: timeouts.connectMs,
      idleTimeoutMs: timeouts.idleMs,
    }),
    call: (what, request) => callStore({ ...contextOf(what.operation), ...what }, request),
    contextOf,
  };
}
