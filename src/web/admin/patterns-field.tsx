/** Which paths are open: names, prefixes and *, with those that there are to choose from. */
import "@mantine/core/styles/ScrollArea.css";
import "@mantine/core/styles/Popover.css";
import "@mantine/core/styles/Combobox.css";
import "@mantine/core/styles/Pill.css";
import "@mantine/core/styles/PillsInput.css";

import { TagsInput } from "@mantine/core";

import { usePaths } from "../queries.js";
import { patternsOf } from "./patterns.js";
import { texts } from "./strings.js";

/** No path has one in its name. */
const parts = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== "");

interface PatternsFieldProps {
  readonly value: readonly string[];
  readonly onChange: (value: readonly string[]) => void;
  readonly error: string | undefined;
}

export function PatternsField({ value, onChange, error }: PatternsFieldProps) {
  const { data } = usePaths();
  const names = data === undefined ? [] : [...data.items, ...data.others].map(({ name }) => name);
  return (
    <TagsInput
      label={texts.patterns.label}
      description={texts.patterns.about}
      placeholder={value.length === 0 ? texts.patterns.placeholder : ""}
      data={patternsOf(names)}
      value={[...value]}
      // What a phone's keyboard types is told as a whole.
      onChange={(given) => onChange([...new Set(given.flatMap(parts))])}
      isDuplicate={(text, known) => known.includes(text)}
      error={error}
      splitChars={[",", " "]}
      comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
      maxDropdownHeight={220}
      id="paths"
    />
  );
}
