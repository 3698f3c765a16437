/** Patterns of paths, to choose from and in words. Pure. */
import { texts } from "./strings.js";

/** Every path, each prefix that paths have, and the paths themselves. */
export function patternsOf(names: readonly string[]): string[] {
  const prefixes = names.flatMap((name) => {
    const parts = name.split("/").slice(0, -1);
    return parts.map((_, index) => `${parts.slice(0, index + 1).join("/")}/*`);
  });
  return ["*", ...[...new Set([...prefixes, ...names])].sort()];
}

export function patternWords(paths: readonly string[]): string {
  if (paths.includes("*")) return texts.allPaths;
  return paths.length === 0 ? texts.noPaths : paths.join(", ");
}
