/** A text that people take elsewhere, with a button that copies it. */
import { Button } from "@mantine/core";
import { useRef, useState } from "react";

import { strings } from "./strings.js";

/** The clipboard is there on loopback and https only; elsewhere the old command does. */
async function copyText(element: Element | null): Promise<void> {
  if (element === null) return;
  getSelection()?.selectAllChildren(element);
  if ("clipboard" in navigator) await navigator.clipboard.writeText(element.textContent);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without https
  else document.execCommand("copy");
}

export function Copyable({ id, text }: { readonly id: string; readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const code = useRef<HTMLElement>(null);
  const copy = (): void => {
    void copyText(code.current).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2_000);
    });
  };
  return (
    <div className="line">
      <code id={id} ref={code}>
        {text}
      </code>
      <Button variant="default" onClick={copy}>
        {isCopied ? strings.copied : strings.copy}
      </Button>
    </div>
  );
}
