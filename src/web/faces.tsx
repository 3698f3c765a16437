/** The faces of a view that has nothing to show: empty, none of this path, failed, no right to see. */
import { Button } from "@mantine/core";
import { type SyntheticEvent, useEffect, useRef, useState } from "react";

import { useHealth } from "./queries.js";
import { strings } from "./strings.js";
import { firstSteps } from "./words.js";

/** The clipboard is there on loopback and https only; elsewhere the old command does. */
async function copyText(element: Element | null): Promise<void> {
  if (element === null) return;
  getSelection()?.selectAllChildren(element);
  if ("clipboard" in navigator) await navigator.clipboard.writeText(element.textContent);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without https
  else document.execCommand("copy");
}

function Copyable({ id, text }: { readonly id: string; readonly text: string }) {
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

export function EmptyFace() {
  const { url, ffmpeg } = firstSteps(useHealth().data?.publishUrls ?? []);
  const words = strings.empty;
  return (
    <section className="face" data-view="empty">
      <h2>{words.title}</h2>
      <p>{words.what}</p>
      <Copyable id="publish" text={url} />
      <p>{words.ffmpeg}</p>
      <Copyable id="ffmpeg" text={ffmpeg} />
      <p className="quiet">
        {words.pull}
        <a href="/api/docs">{words.api}</a>.
      </p>
    </section>
  );
}

export function NoneFace({ onAll }: { readonly onAll: () => void }) {
  return (
    <section className="face" data-view="none">
      <h2>{strings.none.title}</h2>
      <Button variant="default" onClick={onAll}>
        {strings.none.all}
      </Button>
    </section>
  );
}

export function FailedFace({ why, onAgain }: { readonly why: string; readonly onAgain: () => void }) {
  return (
    <section className="face" data-view="failed">
      <h2>{strings.failed.title}</h2>
      <p>{why}</p>
      <p className="quiet">{strings.failed.again}</p>
      <Button variant="default" id="again" onClick={onAgain}>
        {strings.failed.now}
      </Button>
    </section>
  );
}

export function TokenFace(props: { readonly isRefused: boolean; readonly onToken: (token: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), [props.isRefused]);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (input.current === null) return;
    const text = input.current.value;
    input.current.value = "";
    props.onToken(text);
  };
  return (
    <form className="face" data-view="token" onSubmit={submit}>
      <h2>{strings.token.title}</h2>
      <p id="refused">{props.isRefused ? strings.token.refused : strings.token.what}</p>
      <div className="line">
        <label htmlFor="token">{strings.token.label}</label>
        <input
          id="token"
          ref={input}
          type="password"
          autoComplete="current-password"
          aria-describedby="refused"
          required
        />
        <Button type="submit" variant="default">
          {strings.token.open}
        </Button>
      </div>
    </form>
  );
}
