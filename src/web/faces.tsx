/** The faces of a view that has nothing to show: empty, none of this path, failed, no right to see. */
import { Button } from "@mantine/core";
import { type SyntheticEvent, useEffect, useRef } from "react";

import { Copyable } from "./copyable.js";
import { seesAll, useMe } from "./me.js";
import { useHealth } from "./queries.js";
import { strings } from "./strings.js";
import { firstSteps } from "./words.js";

export function EmptyFace() {
  const me = useMe();
  const { url, ffmpeg } = firstSteps(useHealth().data?.publishUrls ?? []);
  const words = strings.empty;
  if (!seesAll(me)) {
    const [title, what] = me.paths?.length === 0 ? [words.noneOpen, words.askAdmin] : [words.title, ""];
    return (
      <section className="face" data-view="empty">
        <h2>{title}</h2>
        {what !== "" && <p>{what}</p>}
      </section>
    );
  }
  return (
    <section className="face" data-view="empty">
      <h2>{words.title}</h2>
      <p>{words.what}</p>
      <Copyable id="publish" text={url} />
      <p>{words.ffmpeg}</p>
      <Copyable id="ffmpeg" text={ffmpeg} />
      <p className="quiet">
        {words.pull}
        <a href="api/docs">{words.api}</a>.
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
