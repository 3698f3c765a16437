/** API tokens, of one user or of all: made for oneself, shown once, revoked at once. */
import { Button } from "@mantine/core";
import { useState } from "react";

import type { ApiToken, MadeApiToken, Me } from "../api-types.js";
import { nowMs } from "../clock.js";
import { Mark } from "../mark.js";
import { ModalDialogue } from "../modal-dialogue.js";
import type { Marked } from "../words.js";
import { revokeToken, useTokens, useUsers } from "./admin-queries.js";
import { AdminTable, type Column, Empty, Instant, Listed } from "./admin-table.js";
import { ConfirmButton } from "./confirm-button.js";
import { PageHead } from "./page-head.js";
import { patternWords } from "./patterns.js";
import { SecretOnce } from "./secret-once.js";
import { texts } from "./strings.js";
import { TokenForm } from "./token-form.js";

interface TokensSectionProps {
  readonly title: string;
  readonly heading: "h1" | "h2";
  /** Undefined: of all. */
  readonly user: string | undefined;
  readonly me: Me;
}

type Open = "nothing" | "add" | MadeApiToken;

const words = texts.tokens;

export function TokensSection({ title, heading, user, me }: TokensSectionProps) {
  const tokens = useTokens(user);
  const users = useUsers().data?.items ?? [];
  const [open, setOpen] = useState<Open>("nothing");
  const close = (): void => setOpen("nothing");
  const nameOf = ({ userId }: ApiToken): string =>
    userId === me.id ? me.name : (users.find(({ id }) => id === userId)?.name ?? texts.nobody);
  const columns = columnsWith(nameOf).filter(({ name }) => user === undefined || name !== words.columns.owner);
  return (
    <>
      <PageHead title={title} about={words.about} heading={heading}>
        {me.kind === "user" && <Button onClick={() => setOpen("add")}>{words.add}</Button>}
      </PageHead>
      <Listed asked={tokens}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={words.empty} what={words.first} />
          ) : (
            <AdminTable label={title} columns={columns} rows={items} keyOf={({ id }) => id} />
          )
        }
      </Listed>
      <ModalDialogue isOpen={open !== "nothing"} title={titleOf(open)} onClose={close}>
        {open === "add" && <TokenForm me={me} onMade={setOpen} />}
        {typeof open === "object" && <SecretOnce id="new-token" text={open.token} about={texts.once} onDone={close} />}
      </ModalDialogue>
    </>
  );
}

function titleOf(open: Open): string {
  return typeof open === "object" ? words.made(open.name) : words.adding;
}

function columnsWith(nameOf: (token: ApiToken) => string): readonly Column<ApiToken>[] {
  const { columns } = words;
  return [
    { name: columns.name, cell: ({ name }) => <span className="strong">{name}</span> },
    { name: columns.owner, cell: nameOf },
    { name: columns.may, cell: ({ role, paths }) => `${texts.roles[role]}, ${patternWords(paths)}` },
    { name: columns.created, cell: ({ createdAt }) => <Instant at={createdAt} /> },
    { name: columns.lastUsed, cell: ({ lastUsedAt }) => <Instant at={lastUsedAt} /> },
    { name: columns.expires, cell: ({ expiresAt }) => <Instant at={expiresAt} /> },
    { name: columns.state, cell: (token) => <Mark mark={stateOf(token)} /> },
    {
      name: texts.actions,
      cell: (token) =>
        stateOf(token).kind === "good" && (
          <div className="actions">
            <ConfirmButton
              label={words.revoke}
              whom={token.name}
              question={words.revoking(token.name)}
              about={words.aboutRevoke}
              act={() => revokeToken(token)}
              touched={["tokens", "audit"]}
            />
          </div>
        ),
    },
  ];
}

function stateOf({ revokedAt, expiresAt }: ApiToken): Marked {
  if (revokedAt !== null) return { kind: "gone", text: words.revoked };
  const isOver = expiresAt !== null && Date.parse(expiresAt) <= nowMs();
  return isOver ? { kind: "gone", text: words.expired } : { kind: "good", text: words.good };
}
