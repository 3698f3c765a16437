/** Share links: what is given to outsiders, how often it was opened, and how to take it back. */
import { Button } from "@mantine/core";
import { useState } from "react";

import type { MadeShare, Share } from "../api-types.js";
import { nowMs } from "../clock.js";
import { Mark } from "../mark.js";
import { ModalDialogue } from "../modal-dialogue.js";
import { type PageProps, placeHref } from "../place.js";
import { goTo } from "../use-place.js";
import { type Marked, shortWhen } from "../words.js";
import { revokeShare, useShares } from "./admin-queries.js";
import { AdminTable, type Column, Empty, Instant, Listed } from "./admin-table.js";
import { ConfirmButton } from "./confirm-button.js";
import { PageHead } from "./page-head.js";
import { SecretOnce } from "./secret-once.js";
import { ShareForm } from "./share-form.js";
import { texts } from "./strings.js";

const words = texts.shares;

/** `path`, `from`, `to`: share this, as the day view asks. */
export function SharesPage({ query }: PageProps) {
  const shares = useShares();
  const [isAdding, setAdding] = useState(query["path"] !== undefined);
  const [made, setMade] = useState<MadeShare>();
  const close = (): void => {
    setAdding(false);
    setMade(undefined);
    if (query["path"] !== undefined) goTo(placeHref("shares"));
  };
  return (
    <>
      <PageHead title={words.title} about={words.about}>
        <Button onClick={() => setAdding(true)}>{words.add}</Button>
      </PageHead>
      <Listed asked={shares}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={words.empty} what={words.first} />
          ) : (
            <AdminTable label={words.title} columns={COLUMNS} rows={items} keyOf={({ id }) => id} />
          )
        }
      </Listed>
      <ModalDialogue
        isOpen={isAdding || made !== undefined}
        title={made === undefined ? words.adding : words.made}
        onClose={close}
      >
        {made === undefined ? (
          <ShareForm query={query} onMade={setMade} />
        ) : (
          <SecretOnce id="new-share" text={made.url} about={words.aboutMade} onDone={close} />
        )}
      </ModalDialogue>
    </>
  );
}

const COLUMNS: readonly Column<Share>[] = [
  {
    name: words.columns.what,
    cell: ({ path, label, from }) => (
      <>
        <a className="strong" href={recordingHref(path, from)} title={words.show}>
          {path}
        </a>
        {label !== "" && <span>{label}</span>}
      </>
    ),
  },
  {
    name: words.columns.range,
    cell: ({ from, to }) => (
      <span>
        <Instant at={from} /> – <Instant at={to} />
      </span>
    ),
  },
  { name: words.columns.by, cell: ({ createdBy }) => createdBy },
  { name: words.columns.opened, cell: openedWords },
  { name: words.columns.expires, cell: ({ expiresAt }) => <Instant at={expiresAt} /> },
  { name: words.columns.state, cell: (share) => <Mark mark={stateOf(share)} /> },
  {
    name: texts.actions,
    cell: (share) =>
      stateOf(share).kind === "good" && (
        <div className="actions">
          <ConfirmButton
            label={words.revoke}
            whom={`${share.path} ${share.label}`.trim()}
            question={words.revoking}
            about={words.aboutRevoke}
            act={() => revokeShare(share.id)}
            touched={["shares", "audit"]}
          />
        </div>
      ),
  },
];

function recordingHref(path: string, from: string): string {
  return `./?${new URLSearchParams({ path, at: from }).toString()}`;
}

function openedWords({ opened, lastOpenedAt }: Share): string {
  if (lastOpenedAt === null) return words.notOpened;
  return words.opened(opened, shortWhen(new Date(lastOpenedAt), nowMs()));
}

function stateOf({ revokedAt, expiresAt }: Share): Marked {
  if (revokedAt !== null) return { kind: "gone", text: words.revoked };
  const isOver = Date.parse(expiresAt) <= nowMs();
  return isOver ? { kind: "gone", text: words.expired } : { kind: "good", text: words.good };
}
