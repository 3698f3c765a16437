/** A password that somebody gives to another: typed, or suggested. It is seen, because it has to be told. */
import { TextInput } from "@mantine/core";

import { texts } from "./strings.js";

/** Without what looks alike; 32 of them, so that five bits are one letter. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LETTERS = 5;

/** 100 bits. */
export function suggestPassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_LETTERS));
  const letters = [...bytes].map((byte) => LETTERS[byte % LETTERS.length] ?? "");
  return Array.from({ length: GROUPS }, (_, group) =>
    letters.slice(group * GROUP_LETTERS, (group + 1) * GROUP_LETTERS).join(""),
  ).join("-");
}

interface PasswordFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
}

export function PasswordField({ value, onChange, error }: PasswordFieldProps) {
  return (
    <div className="with-button">
      <TextInput
        label={texts.password.label}
        description={texts.password.about}
        value={value}
        error={error}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        name="new-password"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        minLength={12}
        maxLength={256}
        required
        withAsterisk={false}
      />
      <button type="button" className="link" onClick={() => onChange(suggestPassword())}>
        {texts.password.suggest}
      </button>
    </div>
  );
}
