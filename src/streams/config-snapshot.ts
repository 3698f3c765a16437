/** A version of the configuration as it is kept: its YAML, and what made it, so that it can be made again. Sealed. */
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";

import { type SealedConfig, VERSION_CONTEXT } from "../catalog/config-history.js";
import type { PathFacts, PathRow } from "../catalog/path-row.js";
import type { SecretBox } from "../platform/secret-box.js";
import { type ConfiguredPath, configuredPathOf } from "./configured-paths.js";

export interface RenderedConfig {
  readonly yaml: string;
  /** The admin's own file, as it was read for it. */
  readonly baseYaml: string;
}

export interface ConfigSnapshot extends RenderedConfig {
  readonly paths: readonly PathFacts[];
}

export interface SnapshotDeps {
  readonly box: SecretBox;
  readonly render: (paths: readonly ConfiguredPath[]) => Promise<RenderedConfig>;
}

export async function sealConfig({ box, render }: SnapshotDeps, paths: readonly PathRow[]): Promise<SealedConfig> {
  const snapshot: ConfigSnapshot = { ...(await render(paths.map(configuredPathOf))), paths };
  const sealed = box.seal(gzipSync(JSON.stringify(snapshot)).toString("base64"), VERSION_CONTEXT);
  return { sealed, sha256: sha256Of(snapshot.yaml) };
}

/** Throws `data-loss` when its key is gone. What opens was sealed by us, so its form is not doubted. */
export function openConfig({ box }: Pick<SnapshotDeps, "box">, sealed: string): ConfigSnapshot {
  return JSON.parse(gunzipSync(Buffer.from(box.open(sealed, VERSION_CONTEXT), "base64")).toString()) as ConfigSnapshot;
}

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
