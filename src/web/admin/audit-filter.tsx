/** The search of the audit log. It stands in the address, so that a link shows the same entries. */
import { Button, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";

import { nowMs } from "../clock.js";
import type { PageProps } from "../place.js";
import { isoOf } from "../request.js";
import { localText, zone } from "../words.js";
import { texts } from "./strings.js";

const NAMES = ["actor", "action", "target", "from", "to"] as const;
type Filter = Readonly<Partial<Record<(typeof NAMES)[number], string>>>;

const words = texts.audit;

/** Only what is known and not empty: the server refuses the rest. */
export function filterOf(query: PageProps["query"]): Record<string, string> {
  const given = NAMES.map((name) => [name, query[name] ?? ""] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

interface AuditFilterProps {
  readonly filter: Filter;
  readonly onSearch: (filter: Record<string, string>) => void;
}

export function AuditFilter({ filter, onSearch }: AuditFilterProps) {
  const [actor, setActor] = useState(filter.actor ?? "");
  const [action, setAction] = useState(filter.action ?? "");
  const [target, setTarget] = useState(filter.target ?? "");
  const [from, setFrom] = useState(localOf(filter.from));
  const [to, setTo] = useState(localOf(filter.to));
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    onSearch({
      ...{ actor: actor.trim(), action: action.trim(), target: target.trim() },
      ...{ from: instantOf(from), to: instantOf(to) },
    });
  };
  const field = (label: string, value: string, onChange: (value: string) => void) => ({
    ...{ label, value, onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value) },
    autoComplete: "off",
  });
  const inZone = texts.zone(zone(nowMs()));
  return (
    <form className="filter" role="search" aria-label={words.filter} onSubmit={submit}>
      <TextInput {...field(words.who, actor, setActor)} name="actor" placeholder={words.aboutWho} />
      <TextInput
        {...field(words.what, action, setAction)}
        name="action"
        placeholder={words.aboutWhat}
        list="known-actions"
      />
      <datalist id="known-actions">
        {texts.knownActions.map((known) => (
          <option key={known} value={known} />
        ))}
      </datalist>
      <TextInput {...field(words.target, target, setTarget)} name="target" placeholder={words.aboutTarget} />
      <TextInput {...field(words.from, from, setFrom)} name="from" type="datetime-local" step={1} title={inZone} />
      <TextInput {...field(words.to, to, setTo)} name="to" type="datetime-local" step={1} title={inZone} />
      <div className="line">
        <Button type="submit">{words.search}</Button>
        {Object.keys(filter).length > 0 && (
          <Button variant="default" onClick={() => onSearch({})}>
            {words.clear}
          </Button>
        )}
      </div>
    </form>
  );
}

function localOf(iso: string | undefined): string {
  const ms = Date.parse(iso ?? "");
  return Number.isNaN(ms) ? "" : localText(ms);
}

function instantOf(local: string): string {
  const ms = new Date(local).getTime();
  return Number.isNaN(ms) ? "" : isoOf(ms);
}
