/** A link to a file. It cannot send the token: with one the page fetches it, shows how far it is, and a second click stops it. */
import { type MouseEvent, useRef, useState } from "react";

import { download, token } from "./request.js";
import { strings } from "./strings.js";

interface SaveLinkProps {
  readonly href: string;
  readonly label: string;
  /** What it is of, for those who do not see what stands beside it. */
  readonly whose: string;
  readonly onSay: (text: string) => void;
}

export function SaveLink({ href, label, whose, onSay }: SaveLinkProps) {
  const [percent, setPercent] = useState<number>();
  const running = useRef<AbortController>(undefined);
  const save = (event: MouseEvent): void => {
    if (token() === null) return;
    event.preventDefault();
    if (running.current !== undefined) {
      running.current.abort();
      return;
    }
    const stop = (running.current = new AbortController());
    void download(href, stop.signal, setPercent)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) onSay(strings.table.downloadFailed(error instanceof Error ? error.message : ""));
      })
      .finally(() => {
        running.current = undefined;
        setPercent(undefined);
      });
  };
  const text = percent === undefined ? label : strings.table.stop(percent);
  return (
    <a
      className="save"
      download
      href={href}
      aria-label={percent === undefined ? `${label} ${whose}` : text}
      onClick={save}
    >
      {text}
    </a>
  );
}
