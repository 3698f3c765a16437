/**
 * The SDK's clients, set so that R2 accepts every request and none can hang:
 * - checksums only where required: R2 refuses aws-chunked bodies and the trailing checksums that come with them;
 * - no retries: a stream cannot be sent twice, and the recording's row is the retry;
 * - every socket has a connect and an idle timeout (the SDK's defaults are none), and `Expect: 100-continue` is off
 *   (with it the SDK opens a new connection for each request);
 * - uploads, reads and small requests have their own sockets, so that none waits behind another kind.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

import { S3Client } from "@aws-sdk/client-s3";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3ClientOptions {
  readonly endpoint: string;
  readonly region: string;
  /** Read again for every request, so that a rotated secret works at once (F28). */
  readonly credentials: () => Promise<S3Credentials> | S3Credentials;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface S3Clients {
  readonly upload: S3Client;
  readonly read: S3Client;
  readonly control: S3Client;
  close(): void;
}

const MAX_SOCKETS = { upload: 64, read: 1_024, control: 64 } as const;

export function createS3Clients(options: S3ClientOptions): S3Clients {
  const upload = createClient(options, MAX_SOCKETS.upload);
  const read = createClient(options, MAX_SOCKETS.read);
  const control = createClient(options, MAX_SOCKETS.control);
  return {
    upload,
    read,
    control,
    close: () => {
      for (const client of [upload, read, control]) client.destroy();
    },
  };
}

function createClient(options: S3ClientOptions, maxSockets: number): S3Client {
  const agentOptions = { keepAlive: true, maxSockets, maxFreeSockets: 8, timeout: options.idleTimeoutMs };
  return new S3Client({
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: true,
    followRegionRedirects: false,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    maxAttempts: 1,
    // An identity that has expired already is fetched anew each time; any other is kept for ever.
    credentials: async () => ({ ...(await options.credentials()), expiration: new Date(0) }),
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs,
      socketTimeout: options.idleTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    },
    logger: SILENT,
  });
}

/** The SDK would log requests, and with them keys and signatures. */
const SILENT = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
