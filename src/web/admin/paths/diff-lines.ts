/** A unified diff as lines to show. Pure. */
export interface DiffLine {
  readonly kind: "added" | "removed" | "same" | "hunk";
  readonly text: string;
}

const KINDS: Readonly<Record<string, DiffLine["kind"]>> = { "+": "added", "-": "removed", " ": "same", "@": "hunk" };

/** Without the names of the files, which are the same. */
export function diffLines(diff: string): readonly DiffLine[] {
  const lines = diff.split("\n");
  const first = lines.findIndex((line) => line.startsWith("@@"));
  if (first < 0) return [];
  return lines.slice(first).flatMap((line): DiffLine[] => {
    const kind = KINDS[line.slice(0, 1)];
    return kind === undefined ? [] : [{ kind, text: kind === "hunk" ? line : line.slice(1) }];
  });
}
