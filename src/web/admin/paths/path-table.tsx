/** All paths: state, group, labels, recording, source; found by text, group and state, and selected for one change of many. */
import { Checkbox } from "@mantine/core";

import type { Path } from "../../api-types.js";
import { nowMs } from "../../clock.js";
import { Mark } from "../../mark.js";
import { placeHref } from "../../place.js";
import { pathStateOf } from "../../words.js";
import { pathStrings } from "../path-strings.js";

const { table } = pathStrings;

interface PathTableProps {
  readonly paths: readonly Path[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

export function PathTable({ paths, selected, onSelect }: PathTableProps) {
  const chosen = paths.filter(({ name }) => selected.has(name)).length;
  const selectAll = (isOn: boolean): void => {
    const next = new Set(selected);
    for (const { name } of paths) (isOn ? next.add.bind(next) : next.delete.bind(next))(name);
    onSelect(next);
  };
  const { columns } = table;
  return (
    <table role="table" className="path-table" aria-label={table.label}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" className="select">
            <Checkbox
              aria-label={table.selectAll}
              checked={chosen > 0 && chosen === paths.length}
              indeterminate={chosen > 0 && chosen < paths.length}
              onChange={({ currentTarget }) => selectAll(currentTarget.checked)}
            />
          </th>
          {Object.values(columns).map((name) => (
            <th role="columnheader" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {paths.map((path) => (
          <Row
            key={path.name}
            path={path}
            isSelected={selected.has(path.name)}
            onSelect={(isOn) => {
              const next = new Set(selected);
              if (isOn) next.add(path.name);
              else next.delete(path.name);
              onSelect(next);
            }}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly path: Path;
  readonly isSelected: boolean;
  readonly onSelect: (isOn: boolean) => void;
}

function Row({ path, isSelected, onSelect }: RowProps) {
  const { name, group, labels, recorded, record, source } = path;
  return (
    <tr role="row" data-path={name} data-selected={isSelected || undefined}>
      <td role="cell" className="select">
        <Checkbox
          aria-label={table.select(name)}
          checked={isSelected}
          onChange={({ currentTarget }) => onSelect(currentTarget.checked)}
        />
      </td>
      <td role="cell" className="name">
        <a href={placeHref("paths", { view: "path", name })}>{name}</a>
      </td>
      <td role="cell" className="state">
        {/* Of the configuration as a whole the page tells once, above. */}
        <Mark mark={pathStateOf({ ...path, config: { applied: true, error: null } }, nowMs())} />
      </td>
      <td role="cell" className="recorded" data-caption={table.columns.recorded}>
        {recorded ? table.on : table.off}
        {record === undefined && <span className="quiet"> {table.byDefault}</span>}
      </td>
      <td role="cell" className="labels">
        {group !== null && <span className="group">{group}</span>}
        {labels.map((label) => (
          <span className="badge" key={label}>
            {label}
          </span>
        ))}
      </td>
      <td role="cell" className="source">
        {source === undefined || source === "publisher" ? <span className="quiet">{table.publisher}</span> : source}
      </td>
    </tr>
  );
}
