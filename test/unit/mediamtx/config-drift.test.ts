import { describe, expect, it } from "vitest";

import { findDrift, type ServerConfig } from "../../../src/mediamtx/config-drift.js";

const RENDERED = `
logLevel: info
rtspEncryption: "no"
srt: no
rtspTransports: [udp, tcp]
readTimeout: 10s
hlsSegmentMaxSize: 50MB
runOnConnect:
authInternalUsers:
  - user: any
    ips: ["127.0.0.1", "::1"]
    permissions: [{ action: read }]
  - user: reelkeeper
    pass: sha256:abc=
    permissions: [{ action: api }]
pathDefaults:
  recordDeleteAfter: "0s"
  recordSegmentDuration: 24h
paths:
  cam1:
    source: "rtsp://u:hunter2@cam/x"
    record: true
    recordPartDuration: "1500ms"
    recordMaxPartSize: "0.5G"
  all_others:
`;

const server = (changes: Partial<ServerConfig> = {}): ServerConfig => ({
  global: {
    logLevel: "info",
    rtspEncryption: "no",
    srt: false,
    rtspTransports: ["tcp", "udp"],
    readTimeout: "10s",
    hlsSegmentMaxSize: "50M",
    runOnConnect: "",
    authInternalUsers: [
      { user: "any", pass: "", ips: ["127.0.0.1/32", "::1/128"], permissions: [{ action: "read", path: "" }] },
      { user: "reelkeeper", pass: "<redacted>", ips: [], permissions: [{ action: "api", path: "" }] },
    ],
    somethingElse: 1,
  },
  pathDefaults: { recordDeleteAfter: "", recordSegmentDuration: "1d", record: false },
  paths: [
    {
      name: "cam1",
      source: "rtsp://u:hunter2@cam/x",
      record: true,
      recordPartDuration: "1.5s",
      recordMaxPartSize: "512M",
      maxReaders: 0,
    },
    { name: "all_others", record: false },
  ],
  ...changes,
});

describe("the drift between file and server", () => {
  it("is none when the server writes the same values in its own forms", () => {
    expect(findDrift(RENDERED, server())).toEqual([]);
  });

  it("names each setting that differs, and where", () => {
    const paths = server().paths.map((path) => ({ ...path, record: !(path["record"] as boolean) }));
    const drift = findDrift(
      RENDERED,
      server({
        global: { ...server().global, logLevel: "debug", rtspTransports: ["tcp"] },
        pathDefaults: { recordDeleteAfter: "1d", recordSegmentDuration: "1h" },
        paths,
      }),
    );
    expect(drift).toEqual([
      { where: "global", setting: "logLevel", expected: "info", actual: "debug" },
      { where: "global", setting: "rtspTransports", expected: '["udp","tcp"]', actual: '["tcp"]' },
      { where: "pathDefaults", setting: "recordDeleteAfter", expected: "0s", actual: "1d" },
      { where: "pathDefaults", setting: "recordSegmentDuration", expected: "24h", actual: "1h" },
      { where: "paths/cam1", setting: "record", expected: "true", actual: "false" },
    ]);
  });

  it("names paths that one of them lacks", () => {
    expect(findDrift(RENDERED, server({ paths: [{ name: "cam1" }, { name: "added" }] }))).toEqual([
      { where: "paths/all_others", setting: "", expected: "configured", actual: "absent" },
      { where: "paths/added", setting: "", expected: "absent", actual: "configured" },
    ]);
  });

  it("sees a user that was added or changed", () => {
    const users = server().global["authInternalUsers"] as object[];
    const withUsers = (list: object[]) => findDrift(RENDERED, server({ global: { authInternalUsers: list } }));
    expect(withUsers([...users, { user: "intruder" }])).toHaveLength(1);
    expect(withUsers([users[0] ?? {}, { ...users[1], permissions: [{ action: "publish" }] }])).toHaveLength(1);
  });

  it("shows no secret", () => {
    const drift = findDrift(
      RENDERED,
      server({
        global: { authInternalUsers: [{ user: "any", pass: "topsecret" }] },
        paths: [{ name: "cam1", source: "rtsp://u:sesame@cam/y" }, { name: "all_others" }],
      }),
    );
    expect(drift.map(({ setting }) => setting)).toEqual(["authInternalUsers", "source"]);
    expect(JSON.stringify(drift)).not.toMatch(/hunter2|topsecret|sesame|abc=/);
    expect(drift[1]).toMatchObject({ expected: "rtsp://u:***@cam/x", actual: "rtsp://u:***@cam/y" });
  });
});
