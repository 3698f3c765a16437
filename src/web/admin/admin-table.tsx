/** A table that becomes cards on a phone, with the faces of one that is loading, empty or failed. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { nowMs } from "../clock.js";
import { bothClocks, shortWhen } from "../words.js";
import { texts } from "./strings.js";

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ReactNode;
}

interface AdminTableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

/** Roles are told again: as blocks and grids they would be lost. */
export function AdminTable<T>({ label, columns, rows, keyOf }: AdminTableProps<T>) {
  return (
    <table role="table" className="admin-table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name }) => (
            <th role="columnheader" key={name}>
              <span className={name === texts.actions ? "unseen" : ""}>{name}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr role="row" key={keyOf(row)}>
            {columns.map(({ name, cell }) => (
              <td role="cell" key={name} data-name={name}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ListedProps<T> {
  readonly asked: { readonly data: T | undefined; readonly error: Error | null; readonly refetch: () => unknown };
  readonly children: (data: T) => ReactNode;
}

export function Listed<T>({ asked: { data, error, refetch }, children }: ListedProps<T>) {
  if (data !== undefined) return children(data);
  if (error === null) return <p className="quiet">{texts.loading}</p>;
  return (
    <section className="face" data-view="failed">
      <h2>{texts.failed}</h2>
      <p>{error.message}</p>
      <Button variant="default" onClick={() => refetch()}>
        {texts.again}
      </Button>
    </section>
  );
}

interface EmptyProps {
  readonly title: string;
  /** What to do first. */
  readonly what: string;
}

export function Empty({ title, what }: EmptyProps) {
  return (
    <section className="face" data-view="empty">
      <h2>{title}</h2>
      <p>{what}</p>
    </section>
  );
}

/** In the viewer's zone; both clocks on hover. */
export function Instant({ at, absent = texts.never }: { readonly at: string | null; readonly absent?: string }) {
  if (at === null) return <span className="quiet">{absent}</span>;
  return (
    <time dateTime={at} title={bothClocks(at)}>
      {shortWhen(new Date(at), nowMs())}
    </time>
  );
}
