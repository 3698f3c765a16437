/** Who is logged in, from where. */
import { useMe } from "../me.js";
import { PageHead } from "./page-head.js";
import { SessionsTable } from "./sessions-table.js";
import { texts } from "./strings.js";

export function SessionsPage() {
  const me = useMe();
  return (
    <>
      <PageHead title={texts.sessions.title} about={texts.sessions.about} />
      <SessionsTable label={texts.sessions.title} user={undefined} me={me} />
    </>
  );
}
