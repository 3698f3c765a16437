import { PassThrough } from "node:stream";

import { describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import { createLogger, type Logger, type LoggerOptions } from "../../../src/platform/logger.js";

const SECRET = "correct-horse-battery";

function capture(options: Partial<LoggerOptions> = {}): { log: Logger; lines: () => string[] } {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const log = createLogger({ level: "info", format: "json", secrets: [SECRET], stream, ...options });
  return { log, lines: () => text.split("\n").filter((line) => line !== "") };
}

describe("the log", () => {
  it("writes one JSON object per line with message, level, time and fields", () => {
    const { log, lines } = capture();
    log.child({ nodeId: "n1" }).info("segment archived", { path: "cam1", bytes: 12 });
    expect(JSON.parse(lines()[0]!)).toMatchObject({
      level: "info",
      message: "segment archived",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      nodeId: "n1",
      path: "cam1",
      bytes: 12,
    });
    expect(lines()).toHaveLength(1);
  });

  it("writes nothing below its level", () => {
    const { log, lines } = capture({ level: "warn" });
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(lines().map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(["c", "d"]);
  });

  it.each(["json", "pretty"] as const)("never writes a secret as %s, wherever it stands", (format) => {
    const { log, lines } = capture({ format });
    const cause = new Error(`bad answer from rtsp://admin:hunter2@cam?token=tok-1 ${SECRET}`);
    const error = new AppError({ kind: "unavailable", message: `get ${SECRET}`, cause });
    log.info(`message with ${SECRET}`, {
      err: error,
      source: "rtsp://admin:hunter2@cam/1",
      nested: { list: [`x${SECRET}y`], password: "plain-1", headers: { authorization: "Bearer plain-2" } },
      hookSecret: "plain-3",
    });
    log.child({ url: `http://h/?secret=plain-4`, apiToken: "plain-5" }).warn("from a child");
    const text = lines().join("\n");
    expect(text).toContain("from a child");
    expect(text).toContain("***");
    for (const secret of [SECRET, "hunter2", "tok-1", ...[1, 2, 3, 4, 5].map((n) => `plain-${n}`)]) {
      expect(text).not.toContain(secret);
    }
  });

  it("writes an error as its chain of messages", () => {
    const { log, lines } = capture();
    log.error("upload failed", { err: new Error("put a/b", { cause: new Error("ECONNRESET") }) });
    expect(JSON.parse(lines()[0]!)).toMatchObject({ err: "put a/b: ECONNRESET" });
  });

  it.each(["json", "pretty"] as const)("keeps a name with a line break on one line as %s (F49)", (format) => {
    const { log, lines } = capture({ format });
    log.info("file rejected", { filePath: "cam1/x\n2026-01-01T00:00:00Z error forged line", "odd key": "\u001b[2J" });
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).not.toContain("\u001b");
  });

  it("survives a field that holds itself", () => {
    const { log, lines } = capture();
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    log.warn("odd field", { circle });
    expect(lines()).toHaveLength(1);
  });
});
