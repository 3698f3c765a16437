import { expect, it } from "vitest";

import { formatVtt } from "../../../src/core/vtt.js";

it("writes cues with hours, in milliseconds, and leaves out those without length", () => {
  const cues = [
    { fromUs: 0, toUs: 299_999_999, text: "a.jpg#xywh=0,0,160,90" },
    { fromUs: 299_999_999, toUs: 300_000_000, text: "b" },
    { fromUs: 300_000_000, toUs: 300_000_400, text: "no length" },
    { fromUs: 86_399_000_000, toUs: 100 * 3_600_000_000, text: "c" },
  ];
  expect(formatVtt(cues)).toBe(
    [
      ...["WEBVTT", "", "00:00:00.000 --> 00:04:59.999", "a.jpg#xywh=0,0,160,90", ""],
      ...["00:04:59.999 --> 00:05:00.000", "b", "", "23:59:59.000 --> 100:00:00.000", "c", ""],
    ].join("\n"),
  );
});
