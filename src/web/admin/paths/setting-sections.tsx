/** Every setting of a path in its section, narrowed to what somebody looks for. */
import { Switch, TextInput } from "@mantine/core";
import { useState } from "react";

import { pathStrings } from "../path-strings.js";
import { type Draft, edited, type Field, shownOf } from "./fields.js";
import { SECTIONS } from "./kinds.js";
import { SettingInput } from "./setting-input.js";

interface SettingSectionsProps {
  readonly fields: readonly Field[];
  readonly draft: Draft;
  readonly errors: Readonly<Record<string, string>>;
  readonly warnings: Readonly<Record<string, string>>;
  readonly onDraft: (draft: Draft) => void;
}

export function SettingSections({ fields, draft, errors, warnings, onDraft }: SettingSectionsProps) {
  const { form, sections } = pathStrings;
  const [text, setText] = useState("");
  const [isOnlyOwn, setOnlyOwn] = useState(false);
  const isWanted = (field: Field): boolean => {
    // What is wrong is never hidden.
    if (errors[field.name] !== undefined) return true;
    const { own, isChanged } = shownOf(field, draft);
    if (isOnlyOwn && own === undefined && !isChanged) return false;
    return `${field.name} ${field.help}`.toLowerCase().includes(text.trim().toLowerCase());
  };
  const wanted = fields.filter(isWanted);
  return (
    <>
      <div className="path-filter">
        <TextInput
          id="filter-settings"
          aria-label={form.filter}
          placeholder={form.filter}
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <Switch
          label={form.onlyOwn}
          checked={isOnlyOwn}
          onChange={({ currentTarget }) => setOnlyOwn(currentTarget.checked)}
        />
      </div>
      {wanted.length === 0 && <p className="quiet">{form.nothingLikeThat}</p>}
      {SECTIONS.map((section) => {
        const here = wanted.filter((field) => field.section === section);
        if (here.length === 0) return null;
        return (
          <fieldset className="settings" key={section}>
            <legend>{sections[section]}</legend>
            {here.map((field) => (
              <SettingInput
                key={field.name}
                field={field}
                shown={shownOf(field, draft)}
                error={errors[field.name]}
                warning={warnings[field.name]}
                onChange={(value) => onDraft(edited(draft, field, value))}
              />
            ))}
          </fieldset>
        );
      })}
    </>
  );
}
