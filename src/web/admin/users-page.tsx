/** Who may log in, and what is open to them. */
import { Button } from "@mantine/core";
import { useState } from "react";

import type { Me, User } from "../api-types.js";
import { Mark } from "../mark.js";
import { useMe } from "../me.js";
import { ModalDialogue } from "../modal-dialogue.js";
import type { Marked } from "../words.js";
import { changeUser, removeUser, useUsers } from "./admin-queries.js";
import { AdminTable, type Column, Instant, Listed } from "./admin-table.js";
import { ConfirmButton } from "./confirm-button.js";
import { PageHead } from "./page-head.js";
import { patternWords } from "./patterns.js";
import { SecretOnce } from "./secret-once.js";
import { texts } from "./strings.js";
import { NewUserForm, PasswordForm, UserForm } from "./user-forms.js";
import { useChange } from "./use-change.js";

type Open =
  | { readonly kind: "nothing" | "add" }
  | { readonly kind: "edit" | "reset"; readonly user: User }
  | { readonly kind: "told"; readonly title: string; readonly password: string };

const words = texts.users;

export function UsersPage() {
  const me = useMe();
  const users = useUsers();
  const [open, setOpen] = useState<Open>({ kind: "nothing" });
  const columns = columnsFor(me, setOpen);
  return (
    <>
      <PageHead title={words.title} about={words.about}>
        <Button onClick={() => setOpen({ kind: "add" })}>{words.add}</Button>
      </PageHead>
      <Listed asked={users}>
        {({ items }) => <AdminTable label={words.title} rows={items} keyOf={({ id }) => id} columns={columns} />}
      </Listed>
      <OpenDialogue open={open} setOpen={setOpen} />
    </>
  );
}

interface OpenDialogueProps {
  readonly open: Open;
  readonly setOpen: (open: Open) => void;
}

function OpenDialogue({ open, setOpen }: OpenDialogueProps) {
  const close = (): void => setOpen({ kind: "nothing" });
  const tell = (title: string, password: string): void => setOpen({ kind: "told", title, password });
  return (
    <ModalDialogue isOpen={open.kind !== "nothing"} title={titleOf(open)} onClose={close}>
      {open.kind === "add" && <NewUserForm onAdded={(name, password) => tell(words.added(name), password)} />}
      {open.kind === "edit" && <UserForm user={open.user} onDone={close} />}
      {open.kind === "reset" && (
        <PasswordForm user={open.user} onReset={(password) => tell(words.wasReset(open.user.name), password)} />
      )}
      {open.kind === "told" && (
        <SecretOnce id="new-password" text={open.password} about={texts.password.once} onDone={close} />
      )}
    </ModalDialogue>
  );
}

function titleOf(open: Open): string {
  switch (open.kind) {
    case "nothing":
      return "";
    case "add":
      return words.adding;
    case "edit":
      return words.editing(open.user.name);
    case "reset":
      return words.resetting(open.user.name);
    case "told":
      return open.title;
    default:
      return open satisfies never;
  }
}

function columnsFor(me: Me, setOpen: (open: Open) => void): readonly Column<User>[] {
  const { columns } = words;
  return [
    {
      name: columns.name,
      cell: ({ id, name }) => (
        <span className="strong">
          {name} {id === me.id && <span className="quiet">({words.you})</span>}
        </span>
      ),
    },
    { name: columns.role, cell: ({ role }) => texts.roles[role] },
    { name: columns.paths, cell: ({ role, paths }) => (role === "admin" ? texts.allPaths : patternWords(paths)) },
    { name: columns.state, cell: (user) => <Mark mark={stateOf(user)} /> },
    { name: columns.lastLogin, cell: ({ lastLoginAt }) => <Instant at={lastLoginAt} /> },
    { name: texts.actions, cell: (user) => <UserActions {...{ user, setOpen }} isOneself={user.id === me.id} /> },
  ];
}

function stateOf({ disabled, hasPassword }: User): Marked {
  if (disabled) return { kind: "gone", text: words.disabled };
  return hasPassword ? { kind: "good", text: words.active } : { kind: "warn", text: words.noPassword };
}

interface UserActionsProps {
  readonly user: User;
  readonly isOneself: boolean;
  readonly setOpen: (open: Open) => void;
}

const TOUCHED = ["users", "sessions", "tokens", "audit"];

/** Nobody locks themselves out by a slip. */
function UserActions({ user, isOneself, setOpen }: UserActionsProps) {
  const { id, name, disabled } = user;
  const enable = useChange(() => changeUser(id, { disabled: false }), TOUCHED);
  const common = { whom: name, touched: TOUCHED };
  return (
    <div className="actions">
      <button className="link" aria-label={texts.of(words.edit, name)} onClick={() => setOpen({ kind: "edit", user })}>
        {words.edit}
      </button>
      {!isOneself && (
        <button
          className="link"
          aria-label={texts.of(words.reset, name)}
          onClick={() => setOpen({ kind: "reset", user })}
        >
          {words.reset}
        </button>
      )}
      {!isOneself && disabled && (
        <button className="link" aria-label={texts.of(words.enable, name)} onClick={() => enable.mutate(undefined)}>
          {words.enable}
        </button>
      )}
      {!isOneself && !disabled && (
        <ConfirmButton
          {...{ ...common, label: words.disable, question: words.disabling(name), about: words.aboutDisable }}
          act={() => changeUser(id, { disabled: true })}
        />
      )}
      {!isOneself && (
        <ConfirmButton
          {...{ ...common, label: words.remove, question: words.removing(name), about: words.aboutRemove }}
          act={() => removeUser(id)}
        />
      )}
    </div>
  );
}
