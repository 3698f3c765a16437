/** The marked range as a file; shows how far the download is, and a second click stops it. */
import { Button } from "@mantine/core";
import { useImperativeHandle, useRef, useState, type Ref } from "react";

import { apiUrl, download, isoOf } from "./request.js";
import { strings } from "./strings.js";
import type { Marks } from "./marks.js";
import { length } from "./words.js";

export interface ClipHandle {
  readonly start: () => void;
}

interface ClipButtonProps {
  readonly path: string;
  readonly marks: Marks;
  readonly onSay: (text: string) => void;
  readonly handle: Ref<ClipHandle>;
}

export function ClipButton({ path, marks: { inMs, outMs }, onSay, handle }: ClipButtonProps) {
  const [percent, setPercent] = useState<number>();
  const running = useRef<AbortController>(undefined);
  const isMarked = inMs !== undefined && outMs !== undefined;
  const start = (): void => {
    if (running.current !== undefined) {
      running.current.abort();
      return;
    }
    if (!isMarked) {
      onSay(strings.player.markFirst);
      return;
    }
    const stop = (running.current = new AbortController());
    setPercent(0);
    void download(apiUrl("clip.mp4", { path, from: isoOf(inMs), to: isoOf(outMs) }), stop.signal, setPercent)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) onSay(strings.table.downloadFailed(error instanceof Error ? error.message : ""));
      })
      .finally(() => {
        running.current = undefined;
        setPercent(undefined);
      });
  };
  useImperativeHandle(handle, () => ({ start }));
  return (
    <Button id="clip" onClick={start} disabled={!isMarked && percent === undefined}>
      {percent !== undefined
        ? strings.table.stop(percent)
        : isMarked
          ? strings.player.clipOf(length((outMs - inMs) / 1_000))
          : strings.player.clip}
    </Button>
  );
}
