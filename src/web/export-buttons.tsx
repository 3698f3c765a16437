/** Has the marked range made into a file in the background, and shows what was made. */
import { useQueryClient } from "@tanstack/react-query";

import type { Export } from "./api-types.js";
import type { Marks } from "./marks.js";
import { hasRole, useMe } from "./me.js";
import { isoOf, send } from "./request.js";
import { strings } from "./strings.js";
import { length } from "./words.js";

interface ExportButtonsProps {
  readonly path: string;
  readonly marks: Marks;
  readonly onSay: (text: string) => void;
  readonly onOpen: () => void;
}

export function ExportButtons({ path, marks: { inMs, outMs }, onSay, onOpen }: ExportButtonsProps) {
  const queries = useQueryClient();
  const words = strings.exports;
  const mayExport = hasRole(useMe(), "operator");
  const start = (fromMs: number, toMs: number): void => {
    send<Export>("POST", "api/v1/exports", { path, from: isoOf(fromMs), to: isoOf(toMs) })
      .then(() => {
        onSay(words.started(length((toMs - fromMs) / 1_000)));
        onOpen();
        return queries.invalidateQueries({ queryKey: ["exports"] });
      })
      .catch((error: unknown) => onSay(words.failedToStart(error instanceof Error ? error.message : "")));
  };
  return (
    <>
      {mayExport && inMs !== undefined && outMs !== undefined && (
        <button className="chip" id="export" title={words.startTitle} onClick={() => start(inMs, outMs)}>
          {words.start}
        </button>
      )}
      <button className="chip" id="exports" onClick={onOpen}>
        {words.open}
      </button>
    </>
  );
}
