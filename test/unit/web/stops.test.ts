import { expect, it } from "vitest";

import { stopFrom } from "../../../src/web/stops.js";

const at = (sec: number): string => new Date(sec * 1_000).toISOString();
const PATH: Parameters<typeof stopFrom>[0] = {
  spans: [
    { from: at(0), to: at(100), kind: "footage", where: "local" },
    { from: at(100), to: at(200), kind: "gap", cause: "unknown" },
    { from: at(200), to: at(250), kind: "footage", where: "local" },
    { from: at(250), to: at(300), kind: "footage", where: "both" },
  ],
  events: [
    { at: at(90), kind: "not-ready", source: null },
    { at: at(200), kind: "ready", source: null },
  ],
};

it.each([
  [0, 1, 90],
  [90, 1, 200],
  [89.9, 1, 200],
  [200, 1, undefined],
  [300, -1, 200],
  [201, -1, 90],
  [90, -1, undefined],
] as const)("from second %d, %d leads to %s", (fromSec, step, toSec) => {
  expect(stopFrom(PATH, fromSec * 1_000, step)).toBe(toSec === undefined ? undefined : toSec * 1_000);
});
