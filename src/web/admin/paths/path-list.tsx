/** The table with what finds paths in it, and what is done with those that are selected. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Path } from "../../api-types.js";
import { usePaths } from "../../queries.js";
import { placeHref } from "../../place.js";
import { pathStrings } from "../path-strings.js";
import { Listed } from "../admin-table.js";
import { BulkForm } from "./bulk-form.js";
import { filtered, groupsOf, NO_FILTER, type PathFilter } from "./path-filter.js";
import { PATH_STATES, type PathState } from "./kinds.js";
import { PathTable } from "./path-table.js";
import { exportPaths, type ListFormat } from "./requests.js";

const { table, states } = pathStrings;

/** What no name of a group is. */
const EVERY = "\n";

export function PathList({ onSaid }: { readonly onSaid: (text: string) => void }) {
  return <Listed asked={usePaths()}>{({ items }) => <List paths={items} onSaid={onSaid} />}</Listed>;
}

interface ListProps {
  readonly paths: readonly Path[];
  readonly onSaid: (text: string) => void;
}

function List({ paths, onSaid }: ListProps) {
  const [filter, setFilter] = useState(NO_FILTER);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isEditing, setEditing] = useState(false);
  // Those that were removed meanwhile are not selected any more.
  const names = paths.map(({ name }) => name).filter((name) => selected.has(name));
  const shown = filtered(paths, filter);
  const done = (text: string): void => {
    setEditing(false);
    setSelected(new Set());
    onSaid(text);
  };
  return (
    <>
      <ListActs onSaid={onSaid} />
      {paths.length === 0 ? (
        <section className="face">
          <h2>{table.none.title}</h2>
          <p>{table.none.what}</p>
        </section>
      ) : (
        <>
          <Filters {...{ paths, filter, shown: shown.length }} onFilter={setFilter} />
          {names.length > 0 && (
            <div className="selection" role="group" aria-label={table.selected(names.length)}>
              <span>{table.selected(names.length)}</span>
              <Button id="edit-selected" onClick={() => setEditing(true)}>
                {table.editSelected}
              </Button>
              <Button variant="default" onClick={() => setSelected(new Set())}>
                {table.clear}
              </Button>
            </div>
          )}
          {shown.length === 0 ? (
            <p className="quiet">{table.noMatch}</p>
          ) : (
            <PathTable paths={shown} selected={new Set(names)} onSelect={setSelected} />
          )}
        </>
      )}
      {isEditing && names.length > 0 && <BulkForm names={names} onDone={done} onClose={() => setEditing(false)} />}
    </>
  );
}

function ListActs({ onSaid }: { readonly onSaid: (text: string) => void }) {
  const save = (format: ListFormat): void => {
    exportPaths(format).catch((error: unknown) =>
      onSaid(table.exportFailed(error instanceof Error ? error.message : "")),
    );
  };
  return (
    <div className="list-acts">
      <Button component="a" id="add-path" href={placeHref("paths", { view: "new" })}>
        {table.add}
      </Button>
      <Button variant="default" onClick={() => save("csv")}>
        {table.exportCsv}
      </Button>
      <Button variant="default" onClick={() => save("yaml")}>
        {table.exportYaml}
      </Button>
    </div>
  );
}

interface FiltersProps {
  readonly paths: readonly Path[];
  readonly filter: PathFilter;
  /** How many are shown. */
  readonly shown: number;
  readonly onFilter: (filter: PathFilter) => void;
}

function Filters({ paths, filter, shown, onFilter }: FiltersProps) {
  return (
    <div className="path-filter">
      <TextInput
        id="search-paths"
        aria-label={table.search}
        placeholder={table.search}
        value={filter.text}
        onChange={({ currentTarget: { value } }) => onFilter({ ...filter, text: value })}
      />
      <NativeSelect
        id="filter-group"
        aria-label={table.group}
        value={filter.group ?? EVERY}
        onChange={({ currentTarget: { value } }) => onFilter({ ...filter, group: value === EVERY ? undefined : value })}
      >
        <option value={EVERY}>{table.allGroups}</option>
        {groupsOf(paths).map((group) => (
          <option key={group}>{group}</option>
        ))}
        <option value="">{table.noGroup}</option>
      </NativeSelect>
      <NativeSelect
        id="filter-state"
        aria-label={table.state}
        value={filter.state ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onFilter({ ...filter, state: value === "" ? undefined : (value as PathState) })
        }
      >
        <option value="">{table.allStates}</option>
        {PATH_STATES.map((state) => (
          <option key={state} value={state}>
            {states[state]}
          </option>
        ))}
      </NativeSelect>
      <p className="quiet" role="status" id="shown">
        {table.shown(shown, paths.length)}
      </p>
    </div>
  );
}
