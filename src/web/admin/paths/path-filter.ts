/** Which paths the table shows. Pure. */
import type { Path } from "../../api-types.js";
import type { PathState } from "./kinds.js";

export interface PathFilter {
  readonly text: string;
  /** Undefined: all; "": those without one. */
  readonly group: string | undefined;
  readonly state: PathState | undefined;
}

export const NO_FILTER: PathFilter = { text: "", group: undefined, state: undefined };

function stateKindOf({ enabled, recorded, state }: Path): PathState {
  if (!enabled) return "disabled";
  if (state.online === null) return "unknown";
  if (!state.online) return "off";
  return recorded ? "recording" : "live";
}

export function filtered(paths: readonly Path[], { text, group, state }: PathFilter): readonly Path[] {
  const wanted = text.trim().toLowerCase();
  return paths.filter(
    (path) =>
      (group === undefined || (path.group ?? "") === group) &&
      (state === undefined || stateKindOf(path) === state) &&
      [path.name, path.group ?? "", ...path.labels].some((part) => part.toLowerCase().includes(wanted)),
  );
}

/** Sorted, each once. */
export function groupsOf(paths: readonly Path[]): readonly string[] {
  return [...new Set(paths.flatMap(({ group }) => (group === null ? [] : [group])))].sort();
}
