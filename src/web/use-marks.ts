/** The marked range as state. */
import { useState } from "react";

import { marked, type Marks, NO_MARKS } from "./marks.js";

export interface MarksState {
  readonly marks: Marks;
  readonly setMarks: (marks: Marks) => void;
  readonly mark: (which: keyof Marks, atMs: number | undefined) => void;
  readonly clear: () => void;
}

export function useMarks(): MarksState {
  const [marks, setMarks] = useState(NO_MARKS);
  return {
    marks,
    setMarks,
    mark: (which, atMs) => atMs !== undefined && setMarks((before) => marked(before, which, atMs)),
    clear: () => setMarks(NO_MARKS),
  };
}
