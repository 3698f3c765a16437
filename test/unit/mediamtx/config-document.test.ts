import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { parsePathName } from "../../../src/core/path-name.js";
import { type ConfigInput, type ConfiguredPath, renderConfig } from "../../../src/mediamtx/config-document.js";

const SHIPPED_BASE = readFileSync(new URL("../../../mediamtx/base.yml", import.meta.url), "utf8");

const ADMINS_BASE = `# my server
logLevel: debug # noisy on purpose
rtspAddress: 192.168.1.5:9554 # the camera network
rtspEncryption: "no"
srt: no
authInternalUsers:
  - user: guard
    pass: secret
    permissions:
      - action: read
pathDefaults:
  recordDeleteAfter: 7d # MediaMTX would delete
  recordSegmentDuration: 10m
paths:
  # the yard
  yard: { source: rtsp://10.0.0.7/yard, record: true, recordDeleteAfter: 1d }
  ~^guest/(.+)$:
    record: true
  all_others:
`;

const path = (name: string, settings: ConfiguredPath["settings"] = {}, enabled = true): ConfiguredPath => ({
  name: parsePathName(name),
  enabled,
  settings,
});

const input = (changes: Partial<ConfigInput> = {}): ConfigInput => ({
  baseYaml: SHIPPED_BASE,
  paths: [],
  recordDir: "/data/recordings",
  hookCommand: "/data/mediamtx/hook.sh",
  api: { address: "127.0.0.1:9997", user: "reelkeeper", password: "correct horse" },
  mode: "embedded",
  listen: "loopback",
  version: "1.21.0",
  ...changes,
});

interface Rendered {
  readonly [setting: string]: unknown;
  readonly pathDefaults: Record<string, unknown>;
  readonly paths: Record<string, Record<string, unknown>>;
  readonly authInternalUsers: Record<string, unknown>[];
}
const rendered = (changes: Partial<ConfigInput> = {}): Rendered => parse(renderConfig(input(changes))) as Rendered;

describe("the rendered configuration", () => {
  it.each<readonly [string, Partial<ConfigInput>]>([
    [
      "shipped-base",
      {
        paths: [
          path("site/gate", { source: "rtsp://u:p%40@10.0.0.9/x", record: true, recordSegmentDuration: "4s" }),
          path("cam1", { record: true }),
          path("off", { record: true }, false),
        ],
      },
    ],
    ["admins-base", { baseYaml: ADMINS_BASE, paths: [path("yard", { record: false, maxReaders: 3 })] }],
    [
      "external-1.18.1",
      { baseYaml: ADMINS_BASE, mode: "external", version: "1.18.1", api: { ...input().api, address: null } },
    ],
    ["empty-base-listen-all", { baseYaml: "", hookCommand: null, listen: "all", paths: [path("cam1")] }],
    ["moq-by-the-admin", { baseYaml: "moq: true\nmoqQUICAddress: :9000\npaths: {}\n", paths: [path("on"), path("1")] }],
  ])("is byte for byte the golden file %s", async (name, changes) => {
    await expect(renderConfig(input(changes))).toMatchFileSnapshot(`golden/${name}.golden`);
  });

  it("is the same whatever the order of the rows", () => {
    const rows = ["b", "a/b", "a", "c"].map((name) => path(name, { record: true }));
    expect(renderConfig(input({ paths: rows }))).toBe(renderConfig(input({ paths: [...rows].reverse() })));
  });

  it("never lets MediaMTX delete a segment, on any path (F58)", () => {
    const config = rendered({ baseYaml: ADMINS_BASE, paths: [path("cam1")] });
    expect(config.pathDefaults["recordDeleteAfter"]).toBe("0s");
    expect(Object.keys(config.paths)).toEqual(["yard", "~^guest/(.+)$", "all_others", "cam1"]);
    for (const entry of Object.values(config.paths)) expect(entry["recordDeleteAfter"]).toBe("0s");
  });

  it("names the hooks once, in pathDefaults, under the names of the version", () => {
    const hooks = (version: string) =>
      Object.entries(rendered({ version, paths: [path("cam1")] }).pathDefaults).filter(([key]) =>
        key.startsWith("runOn"),
      );
    expect(hooks("1.19.3").map(([key]) => key)).toContain("runOnAvailable");
    expect(hooks("1.19.2").map(([key]) => key)).toContain("runOnReady");
    expect(hooks("1.21.0").map(([, command]) => command)).toEqual(
      ["segment-create", "segment-complete", "ready", "not-ready"].map((event) => `/data/mediamtx/hook.sh ${event}`),
    );
    expect(renderConfig(input()).match(/runOn/g)).toHaveLength(4);
  });

  it("puts no key into the file that the version does not know", () => {
    expect(rendered({ version: "1.18.1" })).not.toHaveProperty("moq");
    expect(rendered({ version: "1.19.0" })["moq"]).toBe(false);
    const withMoq = { baseYaml: "moq: true" };
    expect(rendered({ ...withMoq, version: "1.19.3" })).not.toHaveProperty("moqQUICAddress");
    expect(rendered({ ...withMoq, version: "1.20.1" })["moqQUICAddress"]).toBe("127.0.0.1:8893");
  });

  it("binds every listener to loopback until told otherwise, services always", () => {
    const addresses = (listen: "loopback" | "all") =>
      Object.entries(rendered({ baseYaml: ADMINS_BASE, listen })).filter(([key]) => key.endsWith("Address"));
    for (const [, address] of addresses("loopback")) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Object.fromEntries(addresses("loopback"))["rtspAddress"]).toBe("127.0.0.1:9554");
    expect(Object.fromEntries(addresses("all"))).toEqual({
      rtspAddress: "192.168.1.5:9554",
      apiAddress: "127.0.0.1:9997",
      metricsAddress: "127.0.0.1:9998",
      playbackAddress: "127.0.0.1:9996",
    });
  });

  it("also binds listeners that the base names by an old name", () => {
    expect(rendered({ baseYaml: "webrtcICETCPMuxAddress: :8188" })["webrtcICETCPMuxAddress"]).toBe("127.0.0.1:8188");
  });

  it("gives api, metrics and playback to our user alone, and keeps the password to itself", () => {
    const config = rendered();
    const actions = (user: Record<string, unknown> | undefined) =>
      (user?.["permissions"] as { action: string }[]).map(({ action }) => action);
    expect(config.authInternalUsers.map((user) => [user["user"], actions(user)])).toEqual([
      ["any", ["publish", "read"]],
      ["reelkeeper", ["api", "metrics", "playback"]],
    ]);
    expect(renderConfig(input())).not.toContain("correct horse");
  });

  it("leaves MediaMTX's own playback server off where the admin has it off", () => {
    expect(rendered({ baseYaml: "playback: false # ours does it" })["playback"]).toBe(false);
    expect(rendered({ baseYaml: "api: false\nmetrics: false" })).toMatchObject({
      api: true,
      metrics: true,
      playback: true,
    });
  });

  it("adds our user to those that the admin names", () => {
    expect(rendered({ baseYaml: ADMINS_BASE }).authInternalUsers.map((user) => user["user"])).toEqual([
      "guard",
      "reelkeeper",
    ]);
  });

  it("writes a plain password where RTSP digest authentication needs one, if MediaMTX can have it", () => {
    const baseYaml = "rtspAuthMethods: [basic, digest]";
    const api = { ...input().api, password: "correct-horse" };
    expect(rendered({ baseYaml, api }).authInternalUsers.at(-1)?.["pass"]).toBe("correct-horse");
    expect(() => rendered({ baseYaml })).toThrow(/MEDIAMTX_API_PASSWORD/);
  });

  it("has MediaMTX ask us for everything, whatever the base says of that", () => {
    const url = "http://127.0.0.1:8080/mediamtx/auth/secret";
    const baseYaml =
      "authMethod: internal # theirs\nauthHTTPExclude: [{ action: api }]\nexternalAuthenticationURL: http://x\n";
    const text = renderConfig(input({ baseYaml, auth: { kind: "http", url } }));
    expect(parse(text)).toMatchObject({ authMethod: "http", authHTTPAddress: url, authHTTPExclude: [] });
    expect(text).toContain("# theirs");
    expect(text).not.toContain("externalAuthenticationURL");
    const withDigest = "rtspAuthMethods: [basic, digest]";
    const api = { ...input().api, password: "correct-horse" };
    expect(() => rendered({ baseYaml: withDigest, api, auth: { kind: "http", url } })).toThrow(/digest/);
    expect(rendered({ baseYaml })["authMethod"]).toBe("internal");
  });

  it("has MediaMTX take our tokens for everything, and none in URLs of HTTP", () => {
    const url = "http://127.0.0.1:8080/.well-known/jwks.json";
    const baseYaml = "authJWTInHTTPQuery: yes\nauthJWTExclude: [{ action: api }]\nauthJWTAudience: x\n";
    const config = rendered({ baseYaml, auth: { kind: "jwt", url, claim: "c" } });
    expect(config).toMatchObject({ authMethod: "jwt", authJWTJWKS: url, authJWTClaimKey: "c", authJWTExclude: [] });
    expect(Object.keys(config).filter((key) => /Query|Audience/.test(key))).toEqual([]);
  });

  it("leaves a disabled path out, or out of the records where a pattern would take it in", () => {
    const paths = [path("off", { source: "rtsp://cam/x", record: true }, false)];
    expect(rendered({ baseYaml: "", paths }).paths).toEqual({});
    expect(rendered({ paths }).paths["off"]).toEqual({ record: false, recordDeleteAfter: "0s" });
  });

  it.each([
    "yes",
    "no",
    "on",
    "off",
    "null",
    "true",
    "1",
    "1e3",
    "0x1",
    "-",
    "..a",
    "a.b/c-d_e",
    "2026-01-01",
    "__proto__",
    "constructor",
  ])("keeps the path name %s a text", (name) => {
    const text = renderConfig(input({ paths: [path(name, { record: true })] }));
    expect(text).toContain(`\n  "${name}":\n    record: true\n`);
  });

  it("holds exactly the settings of a row, whatever a source looks like", () => {
    const sources = fc.stringMatching(/^[!$&-;=?-Z_a-z~|{}^[\]@]{0,60}$/).map((rest) => `rtsp://camera/${rest}`);
    fc.assert(
      fc.property(sources, (source) => {
        const config = rendered({ paths: [path("cam1", { source })] });
        expect(config.paths["cam1"]).toEqual({ source, recordDeleteAfter: "0s" });
      }),
    );
  });

  it("does not render a row that some other hand has written", () => {
    for (const settings of [{ runOnInit: "touch x" }, { source: "a\nrunOnInit: x" }, { record: "yes" }]) {
      expect(() => rendered({ paths: [path("cam1", settings as never)] })).toThrow(/path cam1 cannot be configured/);
    }
  });

  it("refuses rows under the names of all other paths", () => {
    expect(() => rendered({ paths: [path("all_others")] })).toThrow(/all_others cannot be configured/);
  });

  it.each<readonly [string, Partial<ConfigInput>]>([
    ["an unsupported version", { version: "1.18.0" }],
    ["a relative record directory", { recordDir: "recordings" }],
    ["a record directory with a variable", { recordDir: "/rec/%path" }],
    ["a hook command that MediaMTX would expand", { hookCommand: "/hook.sh $TOKEN" }],
    ["a hook command of two lines", { hookCommand: "/hook.sh\nrunOnInit: x" }],
    ["an empty hook command", { hookCommand: " " }],
  ])("is refused for %s", (_, changes) => {
    expect(() => rendered(changes)).toThrow();
  });
});

describe("a base configuration", () => {
  it.each([
    ["two documents", "a: 1\n---\nb: 2", /more than one document/],
    ["a duplicate key", "logLevel: info\nlogLevel: debug", /line 2.*DUPLICATE_KEY/],
    ["a tag", "logLevel: !!js/function x", /line 1.*TAG/],
    ["a known tag", "logLevel: !!str x", /tag/],
    ["an anchor", "paths:\n  a: &x {}", /anchor &x/],
    ["a merge key", "pathDefaults:\n  <<: {record: true}", /merge key/],
    ["a key that is no text", "paths:\n  1: {}", /no text/],
    ["a directive", "%YAML 1.1\n---\nlogLevel: info", /directive/],
    ["broken YAML", "paths: {", /line 1/],
    ["a list at the top", "- a", /mapping/],
    ["a list of paths", "paths: [a]", /list at "paths"/],
    ["a path that is a value", "paths:\n  cam: 3", /value at "cam"/],
    ["a recordPath for all", "pathDefaults:\n  recordPath: /x/%path/%s-%f", /pathDefaults.recordPath/],
    ["a recordPath for one", "paths:\n  cam:\n    recordPath: /x/%path/%s-%f", /paths.cam.recordPath/],
    ["a recordPath at the top", "recordPath: /x/%path/%s-%f", /sets recordPath/],
    ["an old retention at the top", "recordDeleteAfter: 1d", /sets recordDeleteAfter/],
    ["a segment hook of its own", "paths:\n  cam:\n    runOnRecordSegmentComplete: x", /runOnRecordSegmentComplete/],
    ["a ready hook for all", "pathDefaults:\n  runOnReady: x", /pathDefaults.runOnReady/],
    ["old credentials", "paths:\n  cam:\n    publishUser: x", /publishUser/],
    ["users that are no list", "authInternalUsers: x", /authInternalUsers/],
    ["an address without a port", "rtspAddress: localhost", /rtspAddress/],
    ["an address that is a number", "rtspAddress: 8554", /rtspAddress/],
  ])("with %s is refused", (_, baseYaml, reason) => {
    expect(() => rendered({ baseYaml })).toThrow(reason);
  });

  it("that would grow to gigabytes through aliases is refused at once", () => {
    const levels = Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`);
    expect(() => rendered({ baseYaml: ["a0: &a0 [x]", ...levels].join("\n") })).toThrow(/anchor|alias/);
  });

  it("may have segment hooks of its own where Reelkeeper has none", () => {
    const baseYaml = "pathDefaults:\n  runOnRecordSegmentComplete: /my/hook";
    expect(rendered({ baseYaml, hookCommand: null }).pathDefaults["runOnRecordSegmentComplete"]).toBe("/my/hook");
  });
});
