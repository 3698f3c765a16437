/** A real MediaMTX for a test, with a configuration of the test's choice. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { type Child, startChild } from "./child.js";
import { freePorts } from "./free-port.js";
import { mediamtxBinary, type TestedMediaMtxVersion } from "./tools.js";
import { waitFor } from "./wait-for.js";

export interface MediaMtxPorts {
  readonly rtsp: number;
  readonly rtmp: number;
  readonly api: number;
  readonly playback: number;
  readonly metrics: number;
}

/**
 * The file that starts a MediaMTX with everything off but RTSP (TCP), RTMP, API, playback and metrics, all on loopback.
 * `more` is appended: paths, pathDefaults, hooks. Everything may be done by everyone.
 */
export function quietMediaMtxConfig(version: TestedMediaMtxVersion, ports: MediaMtxPorts, more = ""): string {
  const off = ["hls", "webrtc", "srt", "moq"].map((server) => `${server}: false`);
  return [
    "logLevel: info",
    // A machine that stands still for ten seconds is no camera that is gone.
    "readTimeout: 60s",
    "writeTimeout: 60s",
    `rtspAddress: 127.0.0.1:${ports.rtsp}`,
    "rtspTransports: [tcp]",
    `rtmpAddress: 127.0.0.1:${ports.rtmp}`,
    ...off,
    "api: true",
    `apiAddress: 127.0.0.1:${ports.api}`,
    "playback: true",
    `playbackAddress: 127.0.0.1:${ports.playback}`,
    "metrics: true",
    `metricsAddress: 127.0.0.1:${ports.metrics}`,
    "authInternalUsers:",
    "  - user: any",
    "    permissions:",
    ...["publish", "read", "playback", "api", "metrics", "pprof"].map((action) => `      - action: ${action}`),
    `# for MediaMTX ${version}`,
    more,
    "",
  ].join("\n");
}

export async function freeMediaMtxPorts(): Promise<MediaMtxPorts> {
  const [rtsp = 0, rtmp = 0, api = 0, playback = 0, metrics = 0] = await freePorts(5);
  return { rtsp, rtmp, api, playback, metrics };
}

export interface MediaMtxServer {
  readonly child: Child;
  readonly configFile: string;
  readonly apiUrl: string;
  rtspUrl(pathName: string): string;
  /** SIGTERM and wait, as an operator would. */
  stop(): Promise<void>;
  /** SIGKILL: files stay unfinalised, no hook runs. */
  kill(): Promise<void>;
}

export interface MediaMtxServerOptions {
  readonly version: TestedMediaMtxVersion;
  /** Also the working directory. */
  readonly directory: string;
  /** The text of the configuration, or undefined when `directory`/mediamtx.yml is there already. */
  readonly config?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Resolves when the Control API answers; throws with the output when MediaMTX ends before. The caller stops it. */
export async function startMediaMtx(options: MediaMtxServerOptions): Promise<MediaMtxServer> {
  const binary = await mediamtxBinary(options.version);
  const configFile = path.join(options.directory, "mediamtx.yml");
  if (options.config !== undefined) await writeFile(configFile, options.config);
  const config = await readFile(configFile, "utf8");
  const apiUrl = `http://${addressIn(config, "apiAddress")}`;
  const rtsp = addressIn(config, "rtspAddress");
  const env = { ...process.env, ...options.env };
  const child = await startChild(binary, [configFile], { cwd: options.directory, env });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await child.stop(signal, 20_000);
  };
  try {
    await waitFor("the Control API of MediaMTX", async () => {
      if (child.process.exitCode !== null) return "ended" as const;
      // 401 answers too: whoever configured users knows their passwords.
      await fetch(`${apiUrl}/v3/info`);
      return "answers" as const;
    });
    if (child.process.exitCode !== null) throw new Error(`MediaMTX ended: ${child.output()}`);
  } catch (error) {
    await end("SIGKILL");
    throw new Error(`MediaMTX does not start: ${child.output()}`, { cause: error });
  }
  return {
    child,
    configFile,
    apiUrl,
    rtspUrl: (pathName) => `rtsp://${rtsp}/${pathName}`,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

function addressIn(config: string, key: string): string {
  const address = new RegExp(`^${key}: *["']?([0-9.:a-z]+)["']? *$`, "m").exec(config)?.[1];
  if (address === undefined) throw new Error(`${key} is not in the configuration`);
  return address.startsWith(":") ? `127.0.0.1${address}` : address;
}
