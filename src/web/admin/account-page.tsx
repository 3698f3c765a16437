/** One's own account: what is open, password, sessions, API tokens. */
import { TextInput } from "@mantine/core";
import { useState } from "react";

import { useMe } from "../me.js";
import { changePassword } from "./admin-queries.js";
import { Form } from "./form.js";
import { PageHead } from "./page-head.js";
import { patternWords } from "./patterns.js";
import { SessionsTable } from "./sessions-table.js";
import { texts } from "./strings.js";
import { TokensSection } from "./tokens-section.js";
import { fieldError, formError, useChange } from "./use-change.js";

const words = texts.account;

export function AccountPage() {
  const me = useMe();
  const who = words.who(me.name, texts.roles[me.role]);
  const sees = words.sees(me.paths === null ? texts.allPaths.toLowerCase() : patternWords(me.paths));
  return (
    <>
      <PageHead title={words.title} about={`${who} ${sees}`} />
      <section className="card">
        <h2>{words.password}</h2>
        <OwnPasswordForm name={me.name} />
      </section>
      <PageHead title={texts.sessions.mine} about="" heading="h2" />
      <SessionsTable label={texts.sessions.mine} user={me.id} me={me} />
      <TokensSection title={texts.tokens.mine} heading="h2" user={me.id} me={me} />
    </>
  );
}

function OwnPasswordForm({ name }: { readonly name: string }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { mutate, isPending, error, isSuccess } = useChange(changePassword, ["sessions", "audit"]);
  const change = (): void =>
    mutate(
      { current, new: next },
      {
        onSuccess: () => {
          setCurrent("");
          setNext("");
        },
      },
    );
  const common = { type: "password", required: true, withAsterisk: false } as const;
  return (
    <Form label={words.change} isBusy={isPending} failure={formError(error)} onSubmit={change}>
      <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
      <TextInput
        {...common}
        label={words.current}
        value={current}
        error={fieldError(error, "current")}
        onChange={({ currentTarget }) => setCurrent(currentTarget.value)}
        name="current-password"
        autoComplete="current-password"
      />
      <TextInput
        {...common}
        label={words.next}
        description={`${texts.password.about} ${words.aboutChange}`}
        value={next}
        error={fieldError(error, "new")}
        onChange={({ currentTarget }) => setNext(currentTarget.value)}
        name="new-password"
        autoComplete="new-password"
        minLength={12}
        maxLength={256}
      />
      <p role="status">{isSuccess ? words.changed : ""}</p>
    </Form>
  );
}
