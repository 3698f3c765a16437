import { describe, expect, it } from "vitest";

import { lastReason, parseLogLine, takenAddress } from "../../../src/mediamtx/log-line.js";

describe("parseLogLine", () => {
  it.each([
    ["DEB", "debug"],
    ["INF", "info"],
    ["WAR", "warn"],
    ["ERR", "error"],
  ])("reads level %s as %s", (written, level) => {
    expect(parseLogLine(`2026/11/20 17:05:05 ${written} [RTSP] started`)).toEqual({
      level,
      text: "[RTSP] started",
      path: undefined,
    });
  });

  it("reads a line that ends as HTTP and RTSP end theirs, which level debug quotes", () => {
    expect(parseLogLine("2026/11/20 17:05:05 DEB [RTSP] [c->s] OPTIONS rtsp://host/cam1 RTSP/1.0\r")).toEqual({
      level: "debug",
      text: "[RTSP] [c->s] OPTIONS rtsp://host/cam1 RTSP/1.0",
      path: undefined,
    });
  });

  it("takes the path out of the text", () => {
    expect(parseLogLine("2026/11/20 17:05:05 INF [path site/gate] [recorder] recording stopped")).toEqual({
      level: "info",
      text: "[recorder] recording stopped",
      path: "site/gate",
    });
  });

  it("reads structured lines, with or without a path", () => {
    const line = '{"timestamp":"2026-11-20T18:57:25.498Z","level":"WAR","message":"[path a] x \\"y\\""}';
    expect(parseLogLine(line)).toEqual({ level: "warn", text: 'x "y"', path: "a" });
  });

  it.each(["panic: runtime error", "{broken", '{"level":3}', ""])(
    "shows a line of another form as it is: %s",
    (line) => {
      expect(parseLogLine(line)).toEqual({ level: "info", text: line, path: undefined });
    },
  );
});

describe("the reason of an end", () => {
  it("is the last error, although other lines follow it", () => {
    const lines = [
      "2026/11/20 18:57:21 ERR listen tcp 127.0.0.1:18554: bind: address already in use",
      "2026/11/20 18:57:21 INF waiting for running hooks",
    ];
    expect(lastReason(lines)).toBe("listen tcp 127.0.0.1:18554: bind: address already in use");
  });

  it("is what MediaMTX prints before its logger stands", () => {
    expect(lastReason(['ERR: json: unknown field "nope"', ""])).toBe('json: unknown field "nope"');
  });

  it("is the last line when there is no error, and nothing when there is no line", () => {
    expect(lastReason(["fatal error: out of memory"])).toBe("fatal error: out of memory");
    expect(lastReason(["", " "])).toBeUndefined();
  });

  it.each([
    ["listen tcp 127.0.0.1:8554: bind: address already in use", "127.0.0.1:8554"],
    ["listen tcp :1935: bind: address already in use", ":1935"],
    ["listen udp4 0.0.0.0:8000: bind: address already in use", "0.0.0.0:8000"],
    ["listen tcp :80: bind: permission denied", undefined],
  ])("names the taken address of '%s'", (reason, address) => {
    expect(takenAddress(reason)).toBe(address);
  });
});
