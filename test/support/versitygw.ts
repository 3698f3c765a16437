/** An S3 server over a directory: versitygw with its posix backend. */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { type Child, startChild } from "./child.js";
import { freePorts } from "./free-port.js";
import { versitygwBinary } from "./tools.js";
import { waitFor } from "./wait-for.js";

export interface S3Server {
  readonly child: Child;
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the objects lie, as files. */
  readonly bucketDir: string;
  stop(): Promise<void>;
}

export interface S3ServerOptions {
  /** Must exist; holds one directory per bucket. */
  readonly directory: string;
  readonly bucket?: string;
  /** To start again where clients know it. */
  readonly port?: number;
}

/** Resolves when it answers. Never with --keep-alive, which breaks aws-chunked bodies. The caller stops it. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const binary = await versitygwBinary();
  const bucket = options.bucket ?? "reelkeeper";
  const bucketDir = path.join(options.directory, bucket);
  await mkdir(bucketDir, { recursive: true });
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const accessKeyId = "testkey";
  const secretAccessKey = "testsecret123";
  const env = { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  const args = ["--port", `127.0.0.1:${port}`, "--health", "/health", "--quiet", "posix", options.directory];
  const child = await startChild(binary, args, { env });
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await child.stop("SIGTERM", 5_000);
  };
  try {
    await waitFor("versitygw to answer", async () => {
      if (child.process.exitCode !== null) return "ended" as const;
      const response = await fetch(`${endpoint}/health`);
      return response.ok ? ("answers" as const) : undefined;
    });
    if (child.process.exitCode !== null) throw new Error("it ended");
  } catch (error) {
    await stop();
    throw new Error(`versitygw does not start: ${child.output()}`, { cause: error });
  }
  return { child, endpoint, bucket, accessKeyId, secretAccessKey, bucketDir, stop };
}
