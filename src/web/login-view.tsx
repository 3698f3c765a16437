/** Who are you: by name and password, or by the token of a server where nobody logs in. */
import { Button, TextInput } from "@mantine/core";
import { type PropsWithChildren, type SyntheticEvent, useEffect, useRef, useState } from "react";

import { readAddress, writeAddress } from "./address.js";
import type { Me } from "./api-types.js";
import { FailedFace, TokenFace } from "./faces.js";
import { logIn, useLoginOptions } from "./me.js";
import { strings } from "./strings.js";

interface LoginViewProps {
  /** Who was here until a moment ago. */
  readonly before: Me | undefined;
  readonly isTokenRefused: boolean;
  readonly onToken: (token: string) => void;
  readonly onLogin: (me: Me) => void;
}

export function LoginView({ before, isTokenRefused, onToken, onLogin }: LoginViewProps) {
  const { data, error, refetch } = useLoginOptions();
  if (data === undefined) {
    return error === null ? null : <FailedFace why={error.message} onAgain={() => void refetch()} />;
  }
  if (!data.loginRequired) return <TokenFace isRefused={isTokenRefused} onToken={onToken} />;
  return (
    <LoginForm before={before} onLogin={onLogin}>
      {data.oidc && <ProviderLink />}
    </LoginForm>
  );
}

/** There and back again: the page opens anew where it was. */
function ProviderLink() {
  const [isAway, setAway] = useState(false);
  // Counts from the page, which may live below a path of its host.
  const returnTo = writeAddress(readAddress(location.search)).slice(1) + location.hash;
  return (
    <>
      <Button
        component="a"
        href={`api/v1/login/oidc?${new URLSearchParams({ returnTo }).toString()}`}
        variant="default"
        loading={isAway}
        onClick={() => setAway(true)}
      >
        {strings.login.provider}
      </Button>
      <p role="status">{isAway ? strings.login.away : ""}</p>
    </>
  );
}

/** Why the login provider sent somebody back as a stranger; see http/routes/login-oidc.ts. */
function providerFailure(): string | undefined {
  const kind = new URLSearchParams(location.search).get("loginError");
  if (kind === null) return undefined;
  return kind === "unavailable" ? strings.login.providerAway : strings.login.providerRefused;
}

function LoginForm({ before, onLogin, children }: PropsWithChildren<Pick<LoginViewProps, "before" | "onLogin">>) {
  const [name, setName] = useState(before?.kind === "user" ? before.name : "");
  const [password, setPassword] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState(providerFailure);
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  useEffect(() => (first.current?.value === "" ? first : second).current?.focus(), []);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setFailure(undefined);
    logIn(name.trim(), password)
      .then(onLogin, (error: unknown) => {
        setFailure(error instanceof Error ? error.message : "");
        setPassword("");
        second.current?.focus();
      })
      .finally(() => setBusy(false));
  };
  return (
    <form className="face login" data-view="login" onSubmit={submit}>
      <h1>{strings.login.title}</h1>
      {before !== undefined && <p>{strings.login.again}</p>}
      <TextInput
        label={strings.login.name}
        ref={first}
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        withAsterisk={false}
      />
      <TextInput
        label={strings.login.password}
        ref={second}
        value={password}
        onChange={({ currentTarget }) => setPassword(currentTarget.value)}
        type="password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
      />
      <p role="alert" className="failure" id="login-failure">
        {failure}
      </p>
      <Button type="submit" loading={isBusy}>
        {strings.login.enter}
      </Button>
      {children}
    </form>
  );
}
