import { TextInput } from "@mantine/core";
import { useState } from "react";

import type { MadeApiToken, Me, Role } from "../api-types.js";
import { seesAll } from "../me.js";
import { makeToken } from "./admin-queries.js";
import { expiryInstant, ExpiryField } from "./expiry-field.js";
import { Form } from "./form.js";
import { PatternsField } from "./patterns-field.js";
import { RoleField } from "./role-field.js";
import { texts } from "./strings.js";
import { fieldError, formError, useChange } from "./use-change.js";

interface TokenFormProps {
  readonly me: Me;
  readonly onMade: (token: MadeApiToken) => void;
}

/** As little as most scripts need: to look, at what is open to oneself, for 90 days. */
export function TokenForm({ me, onMade }: TokenFormProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [paths, setPaths] = useState<readonly string[]>(seesAll(me) ? ["*"] : (me.paths ?? []));
  const [expiry, setExpiry] = useState("7776000");
  const { mutate, isPending, error } = useChange(makeToken, ["tokens", "audit"]);
  const make = (): void => mutate({ name, role, paths, expiresAt: expiryInstant(expiry) }, { onSuccess: onMade });
  return (
    <Form label={texts.tokens.add} isBusy={isPending} failure={formError(error)} onSubmit={make}>
      <TextInput
        label={texts.tokens.name}
        description={texts.tokens.aboutName}
        value={name}
        error={fieldError(error, "name")}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        name="token-name"
        autoComplete="off"
        maxLength={100}
        required
        withAsterisk={false}
        data-autofocus
      />
      <RoleField value={role} onChange={setRole} error={fieldError(error, "role")} />
      <PatternsField value={paths} onChange={setPaths} error={fieldError(error, "paths")} />
      <ExpiryField value={expiry} onChange={setExpiry} error={fieldError(error, "expiresAt")} longestSec={Infinity} />
    </Form>
  );
}
