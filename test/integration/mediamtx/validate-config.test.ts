import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { type ConfigVerdict, validateConfig } from "../../../src/mediamtx/validate-config.js";
import { PATIENCE } from "../../support/patience.js";
import { tempDir } from "../../support/temp-dir.js";
import { mediamtxBinary, type TestedMediaMtxVersion } from "../../support/tools.js";

async function ask(version: TestedMediaMtxVersion, config: string, env = process.env): Promise<ConfigVerdict> {
  const configFile = path.join(await tempDir(), "mediamtx.yml");
  await writeFile(configFile, config);
  const bin = await mediamtxBinary(version);
  return validateConfig({ bin, version, configFile, env, signal: AbortSignal.timeout(10_000 * PATIENCE) });
}

describe("MediaMTX's own verdict on a configuration", () => {
  it("accepts what it would load", async () => {
    expect(await ask("1.21.0", "paths:\n  cam1:\n    record: true\n")).toEqual({ kind: "valid" });
  });

  it("gives the reason for what it would not", async () => {
    const verdict = await ask("1.21.0", "paths:\n  cam1:\n    recordSegmentDurations: 4s\n");
    expect(verdict).toEqual({ kind: "invalid", reason: expect.stringContaining("recordSegmentDurations") as string });
  });

  it("is not led astray by an override in our environment", async () => {
    expect(await ask("1.21.0", "paths: {}\n", { ...process.env, MTX_API: "perhaps" })).toEqual({ kind: "valid" });
  });

  it("is not asked of a version that cannot give one", async () => {
    expect(await ask("1.19.3", "nope: 1\n")).toEqual({ kind: "unchecked" });
  });
});
