/** The paths with last picture, state and why; one click shows a path, the plus puts it beside the others. */
import { TextInput } from "@mantine/core";
import { useState } from "react";

import { MOST_PATHS } from "./address.js";
import { nowMs } from "./clock.js";
import { Mark } from "./mark.js";
import { Picture } from "./picture.js";
import { usePaths } from "./queries.js";
import { strings } from "./strings.js";
import { pathStateOf, type ShownPath, shownPaths } from "./words.js";

interface PathsListProps {
  readonly chosen: readonly string[];
  readonly onChoose: (paths: readonly string[]) => void;
}

export function PathsList({ chosen, onChoose }: PathsListProps) {
  const { data, error } = usePaths();
  const [filter, setFilter] = useState("");
  const all = data === undefined ? [] : shownPaths(data);
  const shown = all.filter(({ name, labels }) =>
    [name, ...labels].some((text) => text.toLowerCase().includes(filter.toLowerCase())),
  );
  return (
    <nav className="paths" aria-label={strings.paths}>
      <TextInput
        aria-label={strings.filterPaths}
        placeholder={strings.filterPaths}
        value={filter}
        onChange={({ currentTarget }) => setFilter(currentTarget.value)}
      />
      <button
        className="path-item all"
        aria-current={chosen.length === 0 ? "page" : undefined}
        onClick={() => onChoose([])}
      >
        {strings.allPaths}
      </button>
      {error !== null && data === undefined && <p className="quiet">{strings.pathsFailed}</p>}
      {all.length > 0 && shown.length === 0 && <p className="quiet">{strings.noSuchPath}</p>}
      <ul>
        {shown.map((path) => (
          <PathItem key={path.name} {...{ path, chosen, onChoose }} />
        ))}
      </ul>
    </nav>
  );
}

function PathItem({ path, chosen, onChoose }: PathsListProps & { readonly path: ShownPath }) {
  const { name } = path;
  const isChosen = chosen.includes(name);
  const others = chosen.filter((other) => other !== name);
  const canJoin = chosen.length > 0 && (isChosen ? others.length > 0 : chosen.length < MOST_PATHS);
  const label = isChosen ? strings.wallRemove(name) : strings.wallAdd(name);
  return (
    <li data-path={name}>
      <button className="path-item" aria-current={isChosen ? "page" : undefined} onClick={() => onChoose([name])}>
        <Picture path={name} widthPx={160} alt={strings.pictureOf(name)} />
        <span className="path-words">
          <span className="path-name">{name}</span>
          <Mark mark={pathStateOf(path, nowMs())} />
        </span>
      </button>
      {canJoin && (
        <button
          className="join"
          aria-label={label}
          title={label}
          onClick={() => onChoose(isChosen ? others : [...chosen, name])}
        >
          {isChosen ? "−" : "+"}
        </button>
      )}
    </li>
  );
}
