/** The range that a person marks for a clip. */
export interface Marks {
  readonly inMs: number | undefined;
  readonly outMs: number | undefined;
}

export const NO_MARKS: Marks = { inMs: undefined, outMs: undefined };

/** A mark that would turn the range round lets the other one go. */
export function marked(before: Marks, which: keyof Marks, atMs: number): Marks {
  const { inMs, outMs }: Marks = which === "inMs" ? { ...before, inMs: atMs } : { ...before, outMs: atMs };
  if (inMs === undefined || outMs === undefined || inMs < outMs) return { inMs, outMs };
  return which === "inMs" ? { inMs, outMs: undefined } : { inMs: undefined, outMs };
}
