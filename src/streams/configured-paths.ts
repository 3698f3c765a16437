/** The rows of `paths` in the form that the configuration is rendered from. */
import type { Catalog } from "../catalog/catalog.js";
import type { PathFacts } from "../catalog/path-row.js";
import { listPaths } from "../catalog/paths.js";
import { type PathSettings, pathSettingsSchema } from "../contract/path-settings.js";
import type { PathName } from "../core/path-name.js";

export interface ConfiguredPath {
  readonly name: PathName;
  readonly enabled: boolean;
  readonly settings: PathSettings;
}

export async function listConfiguredPaths(catalog: Catalog): Promise<ConfiguredPath[]> {
  return (await listPaths(catalog)).map(configuredPathOf);
}

export function configuredPathOf({ name, enabled, settings }: PathFacts): ConfiguredPath {
  return { name, enabled, settings: pathSettingsSchema.parse(settings) };
}
