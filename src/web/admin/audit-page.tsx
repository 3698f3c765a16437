/** Who did what, to what, and what it was before. */
import { Button } from "@mantine/core";

import type { AuditEntry } from "../api-types.js";
import { nowMs } from "../clock.js";
import { type PageProps, placeHref } from "../place.js";
import { goTo } from "../use-place.js";
import { bothClocks, clock, shortDay } from "../words.js";
import { useAudit } from "./admin-queries.js";
import { AdminTable, type Column, Empty, Listed } from "./admin-table.js";
import { type Change, changesOf } from "./audit-diff.js";
import { AuditFilter, filterOf } from "./audit-filter.js";
import { PageHead } from "./page-head.js";
import { texts } from "./strings.js";

const words = texts.audit;

export function AuditPage({ query }: PageProps) {
  const filter = filterOf(query);
  const asked = useAudit(filter);
  const { hasNextPage, fetchNextPage, isFetchingNextPage } = asked;
  return (
    <>
      <PageHead title={words.title} about={words.about} />
      <AuditFilter {...{ filter }} onSearch={(wanted) => goTo(placeHref("audit", wanted))} />
      <Listed asked={asked}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items);
          return entries.length === 0 ? (
            <Empty title={words.empty} what={words.first} />
          ) : (
            <AdminTable
              label={words.title}
              columns={columnsFor(filter["search"] ?? "")}
              rows={entries}
              keyOf={({ id }) => String(id)}
            />
          );
        }}
      </Listed>
      {hasNextPage && (
        <Button id="older" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {words.older}
        </Button>
      )}
    </>
  );
}

const columnsFor = (search: string): readonly Column<AuditEntry>[] => [
  {
    name: words.columns.at,
    cell: ({ at }) => (
      <time dateTime={at} title={bothClocks(at)}>
        {whenOf(at)}
      </time>
    ),
  },
  {
    name: words.columns.who,
    cell: ({ actor: { name, address } }) => (
      <>
        <a className="strong" href={placeHref("audit", { actor: name })}>
          {name}
        </a>
        {address !== null && <span className="quiet">{address}</span>}
      </>
    ),
  },
  {
    name: words.columns.what,
    cell: ({ action }) => <a href={placeHref("audit", { action })}>{action}</a>,
  },
  {
    name: words.columns.target,
    cell: ({ target }) => (
      <a className="long" href={placeHref("audit", { target })}>
        {target}
      </a>
    ),
  },
  { name: words.columns.change, cell: (entry) => <Changes key={search} {...{ entry, search }} /> },
];

function whenOf(at: string): string {
  const date = new Date(at);
  return shortDay(date) === shortDay(nowMs()) ? clock(date) : `${shortDay(date)}, ${clock(date)}`;
}

interface ChangesProps {
  readonly entry: AuditEntry;
  /** What was searched for; empty: nothing. */
  readonly search: string;
}

function isFoundIn(changes: readonly Change[], search: string): boolean {
  const text = changes.map((change) => `${change.before ?? ""}\n${change.after ?? ""}`).join("\n");
  return text.toLowerCase().includes(search.toLowerCase());
}

/** Only the names at first; a click unfolds the values, and so does a search that found them. */
function Changes({ entry: { before, after }, search }: ChangesProps) {
  const changes = changesOf(before, after);
  if (changes.length === 0) return null;
  const isChange = before !== null && after !== null;
  const names = changes.map(({ field }) => field).join(", ");
  return (
    <details className="changes" open={search !== "" && isFoundIn(changes, search)}>
      <summary>{isChange ? words.changed(names) : words.set(changes.length)}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.field}</th>
            <th scope="col">{words.before}</th>
            <th scope="col">{words.after}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ field, before: old, after: now }) => (
            <tr key={field}>
              <th scope="row">{field}</th>
              <td>{old === undefined ? <span className="quiet">{words.none}</span> : <del>{old}</del>}</td>
              <td>{now === undefined ? <span className="quiet">{words.none}</span> : <ins>{now}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
