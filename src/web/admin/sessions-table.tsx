/** Logins that go on, of one user or of all, and how to end one. */
import type { Me, Session } from "../api-types.js";
import { Mark } from "../mark.js";
import { endSession, useSessions, useUsers } from "./admin-queries.js";
import { AdminTable, type Column, Instant, Listed } from "./admin-table.js";
import { ConfirmButton } from "./confirm-button.js";
import { deviceOf } from "./device.js";
import { texts } from "./strings.js";

interface SessionsTableProps {
  readonly label: string;
  /** Undefined: of all. */
  readonly user: string | undefined;
  readonly me: Me;
}

const words = texts.sessions;

export function SessionsTable({ label, user, me }: SessionsTableProps) {
  const sessions = useSessions(user);
  const users = useUsers().data?.items ?? [];
  const nameOf = ({ userId }: Session): string =>
    userId === me.id ? me.name : (users.find(({ id }) => id === userId)?.name ?? texts.nobody);
  const columns = columnsWith(nameOf).filter(({ name }) => user === undefined || name !== words.columns.user);
  return (
    <Listed asked={sessions}>
      {({ items }) =>
        items.length === 0 ? (
          <p className="quiet">{words.empty}</p>
        ) : (
          <AdminTable {...{ label, columns }} rows={items} keyOf={({ id }) => id} />
        )
      }
    </Listed>
  );
}

function columnsWith(nameOf: (session: Session) => string): readonly Column<Session>[] {
  const { columns } = words;
  return [
    { name: columns.user, cell: (session) => <span className="strong">{nameOf(session)}</span> },
    {
      name: columns.device,
      cell: ({ userAgent, isCurrent }) => (
        <>
          <span title={userAgent ?? ""}>{deviceOf(userAgent)}</span>
          {isCurrent && <Mark mark={{ kind: "live", text: words.current }} />}
        </>
      ),
    },
    { name: columns.address, cell: ({ address }) => address ?? texts.nobody },
    { name: columns.created, cell: ({ createdAt }) => <Instant at={createdAt} /> },
    { name: columns.lastUsed, cell: ({ lastUsedAt }) => <Instant at={lastUsedAt} /> },
    { name: columns.expires, cell: ({ expiresAt }) => <Instant at={expiresAt} /> },
    {
      name: texts.actions,
      cell: (session) => (
        <div className="actions">
          <ConfirmButton
            label={words.end}
            whom={`${nameOf(session)}, ${deviceOf(session.userAgent)}`}
            question={words.ending(nameOf(session))}
            about={session.isCurrent ? words.aboutEndOwn : words.aboutEnd}
            act={() => endSession(session.id)}
            touched={["sessions", "audit"]}
          />
        </div>
      ),
    },
  ];
}
