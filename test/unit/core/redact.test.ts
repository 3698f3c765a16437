import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { redactFields, redactText } from "../../../src/core/redact.js";
import { PATIENCE } from "../../support/patience.js";

describe("redactText", () => {
  it.each([
    ["rtsp://admin:hunter2@10.0.0.7:554/stream", "rtsp://admin:***@10.0.0.7:554/stream"],
    ["open rtsp://admin:hun:ter@cam/1: timeout", "open rtsp://admin:***@cam/1: timeout"],
    ["rtsp://admin:p#ss/w?rd@10.0.0.7/s", "rtsp://admin:***@10.0.0.7/s"],
    ["rtsp://admin:a@b@10.0.0.7/s", "rtsp://admin:***@10.0.0.7/s"],
    ["postgres://reel:s3cret@db.local/reel", "postgres://reel:***@db.local/reel"],
    ["srt://:onlypass@h", "srt://:***@h"],
    ['{"source":"rtsp://u:p4ss@h/x","mail":"a@b"}', '{"source":"rtsp://u:***@h/x","mail":"a@b"}'],
    ["https://h/x?token=abc.def&b=1", "https://h/x?token=***&b=1"],
    [
      "https://h/x?a=1&X-Amz-Signature=ff00&X-Amz-Security-Token=zz",
      "https://h/x?a=1&X-Amz-Signature=***&X-Amz-Security-Token=***",
    ],
    ["?access_token=1&jwt=2&pass=3&PASSWORD=4", "?access_token=***&jwt=***&pass=***&PASSWORD=***"],
  ])("masks the secret part of %j", (text, clean) => {
    expect(redactText(text)).toBe(clean);
  });

  it.each([
    "http://127.0.0.1:8080/api/v1/recordings?path=cam1",
    "http://127.0.0.1:8080/file@2x.png",
    "rtsp://127.0.0.1:8554/cam1 and mail me@example.com",
    "rtsp://admin@10.0.0.7/stream",
    "12:30:00 camera@gate",
  ])("leaves %j as it is", (text) => {
    expect(redactText(text)).toBe(text);
  });

  it("removes every given secret wherever it stands", () => {
    const secret = fc.string({ minLength: 4, maxLength: 30 }).filter((text) => !text.includes("*"));
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        expect(redactText(`${before}${value}${after}${value}`, [value])).not.toContain(value);
      }),
    );
  });

  it("does not mask by secrets of fewer than four characters", () => {
    expect(redactText("a b c", ["a", ""])).toBe("a b c");
  });

  it("answers a long hostile text at once", () => {
    const startedMs = performance.now();
    redactText(`${"a://".repeat(20_000)}${"?".repeat(100_000)}${"&x".repeat(50_000)}`);
    expect(performance.now() - startedMs).toBeLessThan(1_000 * PATIENCE);
  });
});

describe("redactFields", () => {
  it("masks fields with secret names, whatever they hold", () => {
    const fields = {
      password: "p",
      pin: 1,
      hookSecret: ["a", "b"],
      Authorization: { scheme: "Bearer", value: "abc" },
      accessKeyId: 12_345,
      headers: { cookie: "sid=1", accept: "*/*" },
      hasPassword: true,
      token: null,
    };
    expect(redactFields("request", fields)).toEqual({
      password: "***",
      pin: 1,
      hookSecret: "***",
      Authorization: "***",
      accessKeyId: "***",
      headers: { cookie: "***", accept: "*/*" },
      hasPassword: true,
      token: null,
    });
  });

  it("cleans the texts of every other field, at any depth", () => {
    expect(redactFields("list", [{ url: "rtsp://u:p4ss@h" }, "the s3cret"], ["s3cret"])).toEqual([
      { url: "rtsp://u:***@h" },
      "the ***",
    ]);
  });

  it("ends for a value that holds itself", () => {
    const circle: Record<string, unknown> = { name: "x" };
    circle["self"] = circle;
    expect(JSON.stringify(redactFields("circle", circle))).toContain("…");
  });
});

it("masks what opens something: signatures of URLs and tokens of share links", () => {
  const url = "/api/v1/clip.mp4?path=cam1&signedBy=user%3Au1&expires=1&signingKey=ab&signature=c2VjcmV0";
  expect(redactText(`GET ${url}`)).not.toContain("c2VjcmV0");
  const token = "x".repeat(43);
  expect(redactText(`https://cameras.example/share/${token}/links failed`)).toBe(
    "https://cameras.example/share/***/links failed",
  );
  expect(redactText(`/share/${token}?a=1`)).toBe("/share/***?a=1");
  expect(redactText(`Post "http://127.0.0.1:8080/mediamtx/auth/${token}": EOF`)).toBe(
    'Post "http://127.0.0.1:8080/mediamtx/auth/***": EOF',
  );
});
