/** What changes in a text: each line with its sign, so that nothing hangs on colour alone. */
import { diffLines } from "./diff-lines.js";

const SIGNS = { added: "+", removed: "−", same: " ", hunk: "" } as const;

interface DiffViewProps {
  /** Unified; empty: nothing changes. */
  readonly diff: string;
  readonly label: string;
  /** In place of nothing. */
  readonly none: string;
}

export function DiffView({ diff, label, none }: DiffViewProps) {
  const lines = diffLines(diff);
  if (lines.length === 0) return <p className="quiet">{none}</p>;
  return (
    // It scrolls sideways, so that one must be able to get into it by keyboard.
    <div className="diff" role="region" aria-label={label} tabIndex={0}>
      {lines.map(({ kind, text }, index) => (
        <div key={`${String(index)} ${text}`} data-line={kind}>
          <span className="sign">{SIGNS[kind]}</span>
          {text}
        </div>
      ))}
    </div>
  );
}
