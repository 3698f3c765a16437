/** What an app runs on: a copy of the built program, free ports and an environment. */
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { freePorts } from "./free-port.js";
import { freeMediaMtxPorts, type MediaMtxPorts, quietMediaMtxConfig } from "./mediamtx-server.js";
import { mediamtxBinary, type TestedMediaMtxVersion } from "./tools.js";
import type { S3Server } from "./versitygw.js";

export interface AppOptions {
  /** Must exist, a real path; everything of the app lies in it. */
  readonly directory: string;
  /** Default: 1.21.0. */
  readonly version?: TestedMediaMtxVersion;
  /** Default: the folder store. `endpoint`: of a proxy before the server. */
  readonly store?: { readonly server: S3Server; readonly endpoint?: string };
  readonly env?: Readonly<Record<string, string>>;
}

export interface InstalledApp {
  /** The script that users start. */
  readonly program: string;
  readonly dataDir: string;
  readonly port: number;
  readonly mediamtxPorts: MediaMtxPorts;
  readonly env: Readonly<Record<string, string>>;
}

/** First part of every object key. */
export const APP_PREFIX = "recordings";

const ROOT = path.resolve(import.meta.dirname, "../..");

export async function installApp({ directory, version = "1.21.0", store, env }: AppOptions): Promise<InstalledApp> {
  const [port = 0] = await freePorts(1);
  const mediamtxPorts = await freeMediaMtxPorts();
  const dataDir = path.join(directory, "data");
  const baseConfigFile = path.join(directory, "base.yml");
  const baseConfig = quietMediaMtxConfig(version, mediamtxPorts);
  // The recorder names the files that it creates at level debug; the auditor counts them.
  await writeFile(baseConfigFile, baseConfig.replace("logLevel: info", "logLevel: debug"));
  return {
    program: await copyProgram(directory),
    dataDir,
    port,
    mediamtxPorts,
    env: {
      DATA_DIR: dataDir,
      HOST: "127.0.0.1",
      LOGIN: "off",
      PORT: String(port),
      LOG_FORMAT: "json",
      R2_PREFIX: APP_PREFIX,
      MEDIAMTX_BIN: await mediamtxBinary(version),
      MEDIAMTX_API_URL: `http://127.0.0.1:${mediamtxPorts.api}`,
      MEDIAMTX_BASE_CONFIG: baseConfigFile,
      ...storeEnvironment(store),
      ...env,
    },
  };
}

/**
 * As in a shipped image: what was built, and no TypeScript. Beside a checkout where somebody edits the sources, the
 * program would build itself anew in the middle of a test.
 */
export async function copyProgram(directory: string): Promise<string> {
  const target = path.join(directory, "program");
  await mkdir(target, { recursive: true });
  const withoutTypeScript = (file: string): boolean => !file.endsWith(".ts");
  for (const name of ["dist", "mediamtx", "package.json"]) {
    await cp(path.join(ROOT, name), path.join(target, name), { recursive: true });
  }
  await cp(path.join(ROOT, "src"), path.join(target, "src"), { recursive: true, filter: withoutTypeScript });
  await symlink(path.join(ROOT, "node_modules"), path.join(target, "node_modules"));
  return path.join(target, "src", "reelkeeper.mjs");
}

function storeEnvironment(store: AppOptions["store"]): Record<string, string> {
  if (store === undefined) return { STORAGE_MODE: "local" };
  const { server, endpoint = server.endpoint } = store;
  return {
    STORAGE_MODE: "r2",
    R2_ENDPOINT: endpoint,
    R2_BUCKET_NAME: server.bucket,
    R2_ACCESS_KEY_ID: server.accessKeyId,
    R2_SECRET_ACCESS_KEY: server.secretAccessKey,
    R2_REGION: "us-east-1",
  };
}
