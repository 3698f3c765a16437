/** Adding a user, changing what one may, giving one a new password. */
import { TextInput } from "@mantine/core";
import { useState } from "react";

import type { Role, User } from "../api-types.js";
import { addUser, changeUser } from "./admin-queries.js";
import { Form } from "./form.js";
import { PasswordField, suggestPassword } from "./password-field.js";
import { PatternsField } from "./patterns-field.js";
import { RoleField } from "./role-field.js";
import { texts } from "./strings.js";
import { fieldError, formError, useChange } from "./use-change.js";

const TOUCHED = ["users", "audit", "sessions"];

export function NewUserForm({ onAdded }: { readonly onAdded: (name: string, password: string) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [paths, setPaths] = useState<readonly string[]>([]);
  const [password, setPassword] = useState(suggestPassword);
  const { mutate, isPending, error } = useChange(addUser, TOUCHED);
  const save = (): void =>
    mutate({ name, role, paths, password }, { onSuccess: (user) => onAdded(user.name, password) });
  return (
    <Form label={texts.users.add} isBusy={isPending} failure={formError(error)} onSubmit={save}>
      <TextInput
        label={texts.users.name}
        description={texts.users.aboutName}
        value={name}
        error={fieldError(error, "name")}
        onChange={({ currentTarget }) => setName(currentTarget.value.trim().toLowerCase())}
        name="new-name"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        required
        withAsterisk={false}
        data-autofocus
      />
      <RoleField value={role} onChange={setRole} error={fieldError(error, "role")} />
      {role !== "admin" && <PatternsField value={paths} onChange={setPaths} error={fieldError(error, "paths")} />}
      <PasswordField value={password} onChange={setPassword} error={fieldError(error, "password")} />
    </Form>
  );
}

export function UserForm({ user, onDone }: { readonly user: User; readonly onDone: () => void }) {
  const [role, setRole] = useState(user.role);
  const [paths, setPaths] = useState<readonly string[]>(user.paths);
  const change = (patch: { role: Role; paths: readonly string[] }) => changeUser(user.id, patch);
  const { mutate, isPending, error } = useChange(change, [...TOUCHED, "me"]);
  return (
    <Form
      label={texts.save}
      isBusy={isPending}
      failure={formError(error)}
      onSubmit={() => mutate({ role, paths }, { onSuccess: onDone })}
    >
      <RoleField value={role} onChange={setRole} error={fieldError(error, "role")} />
      {role !== "admin" && <PatternsField value={paths} onChange={setPaths} error={fieldError(error, "paths")} />}
    </Form>
  );
}

interface PasswordFormProps {
  readonly user: User;
  readonly onReset: (password: string) => void;
}

export function PasswordForm({ user, onReset }: PasswordFormProps) {
  const [password, setPassword] = useState(suggestPassword);
  const { mutate, isPending, error } = useChange(() => changeUser(user.id, { password }), TOUCHED);
  return (
    <Form
      label={texts.users.reset}
      isBusy={isPending}
      failure={formError(error)}
      onSubmit={() => mutate(undefined, { onSuccess: () => onReset(password) })}
    >
      <p>{texts.users.aboutReset}</p>
      <PasswordField value={password} onChange={setPassword} error={fieldError(error, "password")} />
    </Form>
  );
}
