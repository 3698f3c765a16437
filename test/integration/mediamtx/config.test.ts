import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { isReservedPathName, pathSettingsSchema, type PathSettings } from "../../../src/contract/path-settings.js";
import { isPathName, parsePathName } from "../../../src/core/path-name.js";
import { type ConfigInput, type ConfiguredPath, renderConfig } from "../../../src/mediamtx/config-document.js";
import { findDrift, type ServerConfig } from "../../../src/mediamtx/config-drift.js";
import { ConfigPublisher } from "../../../src/mediamtx/config-publisher.js";
import { type ControlApi, createControlApi } from "../../../src/mediamtx/control-api.js";
import { validateConfig } from "../../../src/mediamtx/validate-config.js";
import { systemClock } from "../../../src/platform/clock.js";
import { silentLogger } from "../../../src/platform/logger.js";
import { startCamera } from "../../support/camera.js";
import {
  freeMediaMtxPorts,
  type MediaMtxPorts,
  type MediaMtxServer,
  startMediaMtx,
} from "../../support/mediamtx-server.js";
import { PATIENCE } from "../../support/patience.js";
import { tempDir } from "../../support/temp-dir.js";
import { mediamtxBinary, type TestedMediaMtxVersion } from "../../support/tools.js";
import { waitFor } from "../../support/wait-for.js";

const VERSIONS: readonly TestedMediaMtxVersion[] = ["1.21.0", "1.19.3"];
const USER = { user: "reelkeeper", password: "correct horse battery" };
const SHIPPED_BASE = readFile(new URL("../../../mediamtx/base.yml", import.meta.url), "utf8");

/** But those that exclude these, and a template; hostile-settings.test.ts holds all. */
const EVERY_SETTING: PathSettings = {
  source: "rtsp://user:p%40ss@127.0.0.1:9/cam/realmonitor?channel=1&subtype=0",
  sourceFingerprint: "ab".repeat(32),
  sourceOnDemand: true,
  sourceOnDemandStartTimeout: "15s",
  sourceOnDemandCloseAfter: "1m30s",
  maxReaders: 7,
  useAbsoluteTimestamp: true,
  record: true,
  recordFormat: "mpegts",
  recordPartDuration: "1500ms",
  recordMaxPartSize: "0.5G",
  recordSegmentDuration: "24h",
  rtspTransport: "tcp",
  rtspAnyPort: true,
  rtspRangeType: "clock",
  rtspRangeStart: "20260812T120000Z",
  rtspScale: "-1.5",
  rtspUDPSourcePortRange: [20_000, 20_999],
  whepSTUNGatherTimeout: "6s",
  whepHandshakeTimeout: "11s",
  whepTrackGatherTimeout: "3s",
  whepBearerToken: "0123",
  srtReadPassphrase: "0123456789",
  rtspDemuxMpegts: true,
  overridePublisher: false,
};

const row = (name: string, settings: PathSettings = {}, enabled = true): ConfiguredPath => ({
  name: parsePathName(name),
  enabled,
  settings,
});

/** Only what this test needs to listen, where nothing else does. */
const quietPart = (ports: MediaMtxPorts): string =>
  [
    "hls: no # nobody watches here",
    "webrtc: no",
    "srt: no",
    "rtspTransports: [tcp]",
    `rtspAddress: :${ports.rtsp}`,
    `rtmpAddress: :${ports.rtmp}`,
    `apiAddress: :${ports.api}`,
    `playbackAddress: :${ports.playback}`,
    `metricsAddress: :${ports.metrics}`,
    "",
  ].join("\n");

const ADMINS_PART = `
logLevel: warn
readTimeout: 20s
authInternalUsers:
  - user: any
    ips: ["127.0.0.1", "10.0.0.0/8"]
    permissions: [{ action: publish, path: ~^cam }, { action: read }]
pathDefaults:
  recordDeleteAfter: 7d
  recordMaxPartSize: 80MB
  overridePublisher: no
paths:
  yard: { record: yes, recordDeleteAfter: 2d, runOnDemand: /bin/false }
  "~^guest/(.+)$": { record: true }
  all_others:
`;

interface Setup {
  readonly directory: string;
  readonly ports: MediaMtxPorts;
  readonly input: ConfigInput;
  readonly api: ControlApi;
}

async function setUp(version: TestedMediaMtxVersion, changes: Partial<ConfigInput> = {}): Promise<Setup> {
  const [directory, ports] = [await tempDir(), await freeMediaMtxPorts()];
  const input: ConfigInput = {
    paths: [],
    recordDir: path.join(directory, "recordings"),
    hookCommand: null,
    api: { address: changes.mode === "external" ? null : `127.0.0.1:${ports.api}`, ...USER },
    mode: "embedded",
    listen: "loopback",
    version,
    ...changes,
    baseYaml: quietPart(ports) + (changes.baseYaml ?? ""),
  };
  return { directory, ports, input, api: createControlApi({ baseUrl: `http://127.0.0.1:${ports.api}`, ...USER }) };
}

async function run(setup: Setup, config: string): Promise<MediaMtxServer> {
  const server = await startMediaMtx({
    version: setup.input.version as TestedMediaMtxVersion,
    directory: setup.directory,
    config,
  });
  onTestFinished(() => server.stop());
  return server;
}

async function readServer(api: ControlApi, signal = AbortSignal.timeout(10_000 * PATIENCE)): Promise<ServerConfig> {
  return {
    global: await api.globalConfig(signal),
    pathDefaults: await api.pathDefaults(signal),
    paths: await api.listPathConfigs(signal),
  };
}

async function expectValid(setup: Setup, configFile: string): Promise<void> {
  const verdict = await validateConfig({
    bin: await mediamtxBinary("1.21.0"),
    version: "1.21.0",
    configFile,
    env: process.env,
    signal: AbortSignal.timeout(20_000 * PATIENCE),
  });
  expect(verdict).toEqual({ kind: "valid" });
}

describe.each(VERSIONS)("a rendered configuration in MediaMTX %s", (version) => {
  const hookCommand = 'sh "/data dir/hook.sh"';
  it.each<readonly [string, () => Promise<Partial<ConfigInput>>]>([
    [
      "the base that we ship and one path",
      async () => ({ baseYaml: await SHIPPED_BASE, hookCommand, paths: [row("cam1")] }),
    ],
    ["a base of an admin", () => Promise.resolve({ baseYaml: ADMINS_PART, paths: [row("yard", { record: false })] })],
    [
      "every setting that an admin may edit",
      () => Promise.resolve({ hookCommand, paths: [row("all/set", EVERY_SETTING), row("on"), row("off", {}, false)] }),
    ],
    [
      "an external server that listens everywhere",
      () => Promise.resolve({ mode: "external", listen: "all", hookCommand }),
    ],
  ])("from %s is what the server says it runs", async (_, changes) => {
    const setup = await setUp(version, await changes());
    const config = renderConfig(setup.input);
    const server = await run(setup, config);
    expect(findDrift(config, await readServer(setup.api))).toEqual([]);
    if (version === "1.21.0") await expectValid(setup, server.configFile);
  });

  it("knows each secret of a path as it was meant", async () => {
    const secrets = {
      whepBearerToken: "yes-no:0x1F#'\"\\\\{}!$%&*|>",
      srtReadPassphrase: "'0123' #\"9\\ {a: *b}",
    };
    const [pulled, published] = [
      { source: "wheps://user:p%23ss@192.0.2.10:9/cam?token=a'b", sourceOnDemand: true, ...secrets },
      { srtPublishPassphrase: "0123456789", srtReadPassphrase: "1_000_000_000" },
    ];
    const setup = await setUp(version, { paths: [row("pulled", pulled), row("published", published)] });
    await run(setup, renderConfig(setup.input));
    expect((await readServer(setup.api)).paths).toMatchObject([published, pulled]);
  });

  it("keeps the Control API, metrics and playback from whoever is not us, and lets anyone publish", async () => {
    const setup = await setUp(version, { baseYaml: await SHIPPED_BASE });
    await run(setup, renderConfig(setup.input));
    const { api, metrics, playback, rtsp } = setup.ports;
    const anonymous = [`${api}/v3/config/global/get`, `${metrics}/metrics`, `${playback}/list?path=cam1`];
    const answers = await Promise.all(anonymous.map((address) => fetch(`http://127.0.0.1:${address}`)));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    const camera = await startCamera({ url: `rtsp://127.0.0.1:${rtsp}/walk/in` });
    onTestFinished(() => camera.stop());
    const paths = await setup.api.listPaths(AbortSignal.timeout(5_000 * PATIENCE));
    expect(paths).toMatchObject([{ name: "walk/in", confName: "all_others", online: true, tracks: ["H264"] }]);
  });

  it("does not reconnect or interrupt the recording of other paths when one is added, edited and removed", async () => {
    let rows = [row("cam1", { record: true, recordSegmentDuration: "1s" })];
    const baseYaml = "paths:\n  all_others: { record: true, recordSegmentDuration: 1s }\n";
    const setup = await setUp(version, { baseYaml });
    const publisher = new ConfigPublisher({
      clock: systemClock,
      log: silentLogger,
      configFile: path.join(setup.directory, "mediamtx.yml"),
      fileMode: 0o600,
      render: () => Promise.resolve(renderConfig({ ...setup.input, paths: rows })),
      readServer: (signal) => readServer(setup.api, signal),
    });
    await publisher.writeNow();
    const server = await startMediaMtx({ version, directory: setup.directory });
    onTestFinished(() => server.stop());
    publisher.start();
    onTestFinished(() => publisher.stop());
    const cameras = await Promise.all(["cam1", "cam2"].map((name) => startCamera({ url: server.rtspUrl(name) })));
    for (const camera of cameras) onTestFinished(() => camera.stop());
    const apply = async (next: ConfiguredPath[]): Promise<void> => {
      rows = next;
      publisher.requestApply();
      await waitFor("the configuration to be applied", () => !publisher.state().pending, { timeoutMs: 30_000 });
      expect(publisher.state()).toMatchObject({ error: null, drift: [] });
    };
    const sources = async (): Promise<unknown> => {
      const paths = await setup.api.listPaths(AbortSignal.timeout(5_000 * PATIENCE));
      return paths.filter(({ name }) => /^cam[12]$/.test(name)).map(({ name, source }) => [name, source]);
    };
    const before = await waitFor("both cameras", async () => {
      const seen = await sources();
      return Array.isArray(seen) && seen.length === 2 ? seen : undefined;
    });

    const [first] = rows;
    await apply([...rows, row("new", { record: true })]);
    await apply([first!, row("new", { record: false, source: "rtsp://127.0.0.1:9/x", sourceOnDemand: true })]);
    await apply([first!]);
    const segmentsAt = await countSegments(setup, "cam1");
    await waitFor("another segment", async () => (await countSegments(setup, "cam1")) > segmentsAt + 1);
    expect(await sources()).toEqual(before);

    // The path leaves all_others for an entry of its own: its recorder begins anew, its publisher stays.
    await apply([first!, row("cam2", { record: true, recordSegmentDuration: "2s" })]);
    const recordersOfCam2 = async (): Promise<number> =>
      new Set((await positionsOf(setup, "cam2")).map(({ streamId }) => streamId)).size;
    await waitFor("a segment of the new recorder", async () => (await recordersOfCam2()) === 2);
    expect(await sources()).toEqual(before);
    for (const camera of cameras) await camera.stop();
    await server.stop();
    const positions = await positionsOf(setup, "cam1");
    expect(positions.length).toBeGreaterThan(3);
    expect(new Set(positions.map(({ streamId }) => streamId)).size).toBe(1);
    expect(positions.map(({ segmentNumber }) => segmentNumber)).toEqual(positions.map((_, index) => index));
  });

  it("holds no key and runs no command that an admin's text could smuggle in", async () => {
    const setup = await setUp(version);
    const canary = path.join(setup.directory, "canary");
    const accepted: ConfiguredPath[] = [];
    let refused = 0;
    for (const payload of payloads(canary)) {
      for (const setting of Object.keys(EVERY_SETTING)) {
        const checked = pathSettingsSchema.safeParse({ [setting]: payload });
        if (checked.success) accepted.push(row(`accepted/${accepted.length}`, checked.data));
        else {
          refused += 1;
          const unchecked = row("cam1", { [setting]: payload });
          expect(() => renderConfig({ ...setup.input, paths: [unchecked] })).toThrow(/path cam1 cannot be configured/);
        }
      }
      if (isPathName(payload) && !isReservedPathName(payload)) accepted.push(row(payload));
    }
    expect(refused).toBeGreaterThan(400);
    expect(accepted.length).toBeGreaterThan(20);

    const config = renderConfig({ ...setup.input, paths: accepted });
    const server = await run(setup, config);
    const running = await readServer(setup.api);
    expect(findDrift(config, running)).toEqual([]);
    expect(new Map(running.paths.map((conf) => [conf.name, conf["source"]]))).toEqual(
      new Map(accepted.map(({ name, settings }) => [name, settings.source ?? "publisher"])),
    );
    for (const conf of running.paths) {
      const commands = Object.entries(conf).filter(([key]) => /^runOn(?!.*(Restart|Timeout|After)$)/.test(key));
      expect(commands.length).toBeGreaterThan(8);
      expect(commands.every(([, command]) => command === "")).toBe(true);
    }
    await server.stop();
    expect(existsSync(canary)).toBe(false);
  });
});

function payloads(canary: string): readonly string[] {
  const command = `touch ${canary}`;
  const injections = [
    `\nrunOnInit: ${command}`,
    `\n    runOnInit: "${command}"`,
    `"\n    runOnInit: "${command}`,
    `'\n    runOnInit: '${command}`,
    `\r\n    runOnInit: ${command}`,
    `\u2028    runOnInit: ${command}`,
    `\u0085    runOnInit: ${command}`,
    `, runOnInit: ${command}`,
    `" , "runOnInit": "${command}`,
    `}, runOnInit: ${command}`,
    ` #\n    runOnInit: ${command}`,
    `\n---\nrunOnConnect: ${command}`,
    `\n...\nrunOnConnect: ${command}`,
    `$(${command})`,
    `\`${command}\``,
    `;${command}`,
    `|${command}`,
    `\\"\\n runOnInit: ${command}`,
    "\0",
  ];
  const plain = ["!!js/function x", "&a", "*a", "<<", "{}", "[]", "- x", "? x", "%YAML 1.1", "~", "null", "yes", "off"];
  const harmlessLooking = [
    "$(touch%20canary)",
    "$MTX_PATH",
    "${HOME}",
    "?a=$(id)&b={c:[d]}",
    "a,b:c",
    "a:%20b",
    "{runOnInit:x}",
    "[a,b]",
    "!important",
    "*",
    "&anchor",
    "%59%0A",
    "~",
    "|",
    "@x",
    "a'b",
    "-x",
    "on",
    "no",
    "__proto__",
  ];
  return [
    ...injections,
    ...injections.map((text) => `rtsp://127.0.0.1:9/x${text}`),
    ...plain,
    ...harmlessLooking.map((text) => `rtsp://127.0.0.1:9/${text}`),
    ...["yes", "on", "null", "1", "0x10", "-", "2026-01-01", "__proto__", "constructor", "a.b"],
  ];
}

async function segmentFiles(setup: Setup, name: string): Promise<string[]> {
  const root = path.join(setup.input.recordDir, name);
  if (!existsSync(root)) return [];
  const files = await readdir(root, { recursive: true });
  return files
    .filter((file) => file.endsWith(".mp4"))
    .sort()
    .map((file) => path.join(root, file));
}

const countSegments = async (setup: Setup, name: string): Promise<number> => (await segmentFiles(setup, name)).length;

/** Stream id and segment number out of the `mtxi` box: version and flags, UUID, 64-bit number. */
async function positionsOf(setup: Setup, name: string): Promise<{ streamId: string; segmentNumber: number }[]> {
  const contents = await Promise.all((await segmentFiles(setup, name)).map((file) => readFile(file)));
  return contents.map((bytes) => {
    const at = bytes.indexOf("mtxi") + 8;
    expect(at).toBeGreaterThan(8);
    return {
      streamId: bytes.subarray(at, at + 16).toString("hex"),
      segmentNumber: Number(bytes.readBigUInt64BE(at + 16)),
    };
  });
}
