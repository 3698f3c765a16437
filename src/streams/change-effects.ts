/** What a change of paths does to mediamtx.yml and to whoever is connected, before it is made. */
import type { PathFacts } from "../catalog/path-row.js";
import type { PathName } from "../core/path-name.js";
import type { RenderedConfig } from "./config-snapshot.js";
import { type ConfiguredPath, configuredPathOf } from "./configured-paths.js";
import { effectiveSettings } from "./effective-settings.js";
import { type PathWarning, warningsOf } from "./path-warnings.js";

interface Reconnect {
  readonly path: string;
  readonly reason: string;
}

interface ComparedConfigs {
  /** Unified, secrets masked. */
  readonly diff: string;
  readonly reconnects: readonly Reconnect[];
  readonly recorderRestarts: readonly Reconnect[];
}

export interface EffectDeps {
  readonly render: (paths: readonly ConfiguredPath[]) => Promise<RenderedConfig>;
  readonly compare: (before: string, after: string) => ComparedConfigs;
  readonly inheritedSettings: () => Promise<(path: string) => Readonly<Record<string, unknown>>>;
}

export interface ChangeEffects extends Pick<ComparedConfigs, "diff" | "reconnects"> {
  /** As it would be, secrets and all. */
  readonly yaml: string;
  readonly recorderRestarts: readonly NamedWarning[];
}

export interface NamedWarning {
  readonly path: string;
  readonly field: string;
  readonly message: string;
}

interface Change {
  readonly before: readonly PathFacts[];
  readonly after: readonly PathFacts[];
}

export async function effectsOf({ render, compare }: EffectDeps, { before, after }: Change): Promise<ChangeEffects> {
  const [was, is] = [await render(before.map(configuredPathOf)), await render(after.map(configuredPathOf))];
  const { diff, reconnects, recorderRestarts } = compare(was.yaml, is.yaml);
  const restarts = recorderRestarts.map(({ path, reason }) => ({ path, field: "record", message: reason }));
  return { yaml: is.yaml, diff, reconnects, recorderRestarts: restarts };
}

/** What people seldom mean by what these paths say. */
export async function seldomMeant(
  { inheritedSettings }: Pick<EffectDeps, "inheritedSettings">,
  paths: readonly PathFacts[],
): Promise<(PathWarning & { readonly path: PathName })[]> {
  const inherited = await inheritedSettings();
  return paths.flatMap(({ name, settings }) =>
    warningsOf(effectiveSettings(settings, inherited(name))).map((warning) => ({ path: name, ...warning })),
  );
}
