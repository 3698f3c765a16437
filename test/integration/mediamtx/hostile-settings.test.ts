/**
 * Hundreds of hostile values through every field of a path: each is refused by the name of its field, or a real MediaMTX
 * that was started with our file reads back exactly what was meant. No command runs.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { SETTING_NAMES } from "../../../src/contract/setting-facts.js";
import { renderConfig } from "../../../src/mediamtx/config-document.js";
import { findDrift } from "../../../src/mediamtx/config-drift.js";
import { createControlApi } from "../../../src/mediamtx/control-api.js";
import { configuredPathOf } from "../../../src/streams/configured-paths.js";
import { listPaths } from "../../../src/catalog/paths.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, startHttp } from "../../support/http-harness.js";
import { freeMediaMtxPorts, startMediaMtx } from "../../support/mediamtx-server.js";
import { PATIENCE } from "../../support/patience.js";
import { createTempDir } from "../../support/temp-dir.js";

const USER = { user: "reelkeeper", password: "correct horse battery" };
const INPUT = {
  ...({ mode: "embedded", listen: "loopback", version: "1.21.0", hookCommand: null } as const),
  ...{ baseYaml: "", recordDir: "/recordings", api: { address: "127.0.0.1:9997", ...USER } },
};
const CANARY = "canary-of-hostile-settings";

/** What YAML, shells, MediaMTX and JavaScript may each take for something else. */
const HOSTILE: readonly string[] = [
  ...[
    "yes",
    "no",
    "on",
    "off",
    "Yes",
    "NO",
    "y",
    "n",
    "null",
    "~",
    "Null",
    "true",
    "false",
    "",
    " ",
    "0",
    "007",
    "0o17",
  ],
  ...[
    "0x1F",
    "1e3",
    ".inf",
    "-.nan",
    "1_000",
    "12:30:45",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "<<",
    "=",
    "-",
    "- a",
    "? a",
  ],
  ...[
    ": b",
    "a: b",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!!js/function x",
    "!include /etc/passwd",
    "|",
    ">",
    "%YAML 1.1",
    "---",
    "...",
  ],
  ...[
    "{a: b}",
    "[a]",
    "'a",
    '"a',
    "a\\",
    "a\tb",
    "a\nb",
    "a\r\nrunOnInit: touch x",
    "a\u0085b",
    "a\u2028b",
    "a\u2029b",
  ],
  ...[
    "\ufeffa",
    "\u202ea",
    "\u{1f4a5}",
    "\ud800",
    "\udfff",
    "a\0b",
    "\u001b[2J",
    "\u007f",
    "é",
    "e\u0301",
    "a".repeat(4_096),
  ],
  ...[`$(touch ${CANARY})`, `\`touch ${CANARY}\``, `;touch ${CANARY}`, `|touch ${CANARY}`, `&& touch ${CANARY}`],
  ...[
    `exec:touch ${CANARY}`,
    `exec:sh -c "touch ${CANARY}"`,
    `\n  runOnInit: touch ${CANARY}`,
    "%path",
    "$MTX_PATH",
    "${MTX_PATH}",
  ],
  ...[
    "%24(id)",
    "__proto__",
    "constructor",
    "toString",
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "-version",
    "file:///etc/passwd",
  ],
];
const SOURCES = HOSTILE.flatMap((text) => [
  `rtsp://camera/${text}`,
  `rtsp://camera/?x=${encodeURI(text.replace(/\p{Cs}/gu, "?"))}`,
]);
/** Texts that mean nothing but themselves. */
const EXACT = new Set(["source", "whepBearerToken", "srtReadPassphrase", "srtPublishPassphrase"]);
const OURS = ["group", "labels", "localRetention", "archiveRetention", "archive", "enabled"];

let http: HttpHarness;
const meant = new Map<string, readonly [string, unknown]>();
let tried = 0;

beforeAll(async () => {
  http = await startHttp();
  // As the application does, but for the candidate alone, which comes last: all of them each time would take minutes.
  http.mediamtx.validate = (paths) => {
    renderConfig({ ...INPUT, paths: paths.slice(-1) });
    return Promise.resolve();
  };
  for (const field of [...SETTING_NAMES, ...OURS]) {
    const values = field === "source" ? [...HOSTILE, ...SOURCES] : HOSTILE;
    for (const value of values) await tryValue(field, field === "labels" ? [value] : value);
  }
  for (const value of HOSTILE) await tryName(value);
}, 300_000 * PATIENCE);
afterAll(() => http.close());

async function tryValue(field: string, value: unknown): Promise<void> {
  tried += 1;
  const name = `h/${String(tried)}`;
  const answer = await ask(http, "/api/v1/paths", { method: "POST", body: { name, [field]: value } });
  if (answer.status === 201) return void meant.set(name, [field, value]);
  const fields = (problemIn(answer).errors ?? []).map((error) => error.field.split(".")[0]);
  const isNamed = answer.status === 400 && (fields.includes(field) || fields.includes("rtspRangeType"));
  if (!isNamed) throw new Error(`${field} ${JSON.stringify(value)}: ${String(answer.status)} ${answer.text}`);
}

async function tryName(name: string): Promise<void> {
  tried += 1;
  const answer = await ask(http, "/api/v1/paths", { method: "POST", body: { name, record: false } });
  if (answer.status === 201) return void meant.set(name, ["record", false]);
  const { status, errors } = problemIn(answer);
  expect([status, errors?.[0]?.field], JSON.stringify(name.slice(0, 80))).toEqual([400, "name"]);
}

describe("hostile values of a path (CVE-2026-25643, CVE-2025-60787)", () => {
  it("are refused by the name of their field, or MediaMTX 1.21.0 reads back what was meant, and no command runs", async () => {
    expect(tried).toBeGreaterThanOrEqual(500);
    const [directory, ports] = [await createTempDir(), await freeMediaMtxPorts()];
    const quiet = [
      "hls: false",
      "webrtc: false",
      "srt: false",
      "rtspTransports: [tcp]",
      `rtspAddress: :${String(ports.rtsp)}`,
    ];
    const others = [`rtmpAddress: :${String(ports.rtmp)}`, `playbackAddress: :${String(ports.playback)}`];
    const config = renderConfig({
      ...INPUT,
      baseYaml: [...quiet, ...others, `metricsAddress: :${String(ports.metrics)}`, ""].join("\n"),
      recordDir: path.join(directory, "recordings"),
      api: { address: `127.0.0.1:${String(ports.api)}`, ...USER },
      paths: (await listPaths(http.catalog)).map(configuredPathOf),
    });
    const server = await startMediaMtx({ version: "1.21.0", directory, config });
    try {
      const api = createControlApi({ baseUrl: server.apiUrl, ...USER });
      const { signal } = new AbortController();
      const paths = await api.listPathConfigs(signal);
      const read = new Map(paths.map((each) => [each.name, each as Record<string, unknown>]));
      expect([...meant.keys()].filter((name) => !read.has(name) && meant.get(name)?.[0] !== "enabled")).toEqual([]);
      for (const [name, [field, value]] of meant) {
        if (typeof value === "string" && EXACT.has(field)) expect(read.get(name)?.[field], name).toBe(value);
        const commands = Object.entries(read.get(name) ?? {}).filter(
          ([key, is]) =>
            /^runOn.*[a-z]$/.test(key) && typeof is === "string" && is !== "" && !/Timeout|CloseAfter/.test(key),
        );
        expect(commands, name).toEqual([]);
      }
      const [global, pathDefaults] = [await api.globalConfig(signal), await api.pathDefaults(signal)];
      expect(findDrift(config, { global, pathDefaults, paths })).toEqual([]);
    } finally {
      await server.stop();
    }
    expect(
      [...EXACT].filter((field) => ![...meant.values()].some(([name, value]) => name === field && value !== "")),
    ).toEqual([]);
    const left = [...(await readdir(directory, { recursive: true })), ...(await readdir(process.cwd()))];
    expect(left.filter((file) => file.includes(CANARY))).toEqual([]);
    expect(existsSync(path.join("/tmp", CANARY))).toBe(false);
  });

  it("cannot come as a command, a file or a name of files in any of MediaMTX's own keys", async () => {
    const keys = [
      "runOnInit",
      "runOnReady",
      "runOnAvailable",
      "runOnDemand",
      "runOnRead",
      "runOnRecordSegmentComplete",
      "runOnFuture",
    ];
    for (const key of [
      ...keys,
      "recordPath",
      "recordDeleteAfter",
      "alwaysAvailableFile",
      "rpiCameraTuningFile",
      "forward",
    ]) {
      const body = { name: "cmd", [key]: `touch ${CANARY}` };
      const answer = problemIn(await ask(http, "/api/v1/paths", { method: "POST", body }));
      expect(answer, key).toMatchObject({ status: 400, errors: [{ field: key }] });
      const batch = { format: "yaml", text: `paths: { cmd: { ${key}: x } }` };
      expect((await ask(http, "/api/v1/config/paths", { method: "POST", body: batch })).status, key).toBe(400);
    }
  });
});
