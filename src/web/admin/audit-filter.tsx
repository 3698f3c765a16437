/** The search of the audit log. It stands in the address, so that a link shows the same entries. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";

import { nowMs } from "../clock.js";
import type { PageProps } from "../place.js";
import { isoOf } from "../request.js";
import { localText, zone } from "../words.js";
import { texts } from "./strings.js";

const NAMES = ["search", "actor", "action", "target", "within", "from", "to"] as const;
type Filter = Readonly<Partial<Record<(typeof NAMES)[number], string>>>;

const words = texts.audit;
/** A value of `within` that is no length: from and to count. */
const BETWEEN = "between";

/** Only what is known and not empty: the server refuses the rest. */
export function filterOf(query: PageProps["query"]): Record<string, string> {
  const given = NAMES.map((name) => [name, query[name] ?? ""] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

/** What the server is asked: a length of time ends now. */
export function askedOf({ within, ...filter }: Filter, now: number): Record<string, string> {
  const seconds = Number(within);
  const { from, to, ...rest } = filter;
  if (within === undefined || within === BETWEEN) return { ...rest, ...(from && { from }), ...(to && { to }) };
  return seconds > 0 ? { ...rest, from: isoOf(now - seconds * 1_000) } : rest;
}

interface AuditFilterProps {
  readonly filter: Filter;
  readonly onSearch: (filter: Record<string, string>) => void;
}

export function AuditFilter({ filter, onSearch }: AuditFilterProps) {
  const [search, setSearch] = useTyped(filter.search ?? "");
  const [from, setFrom] = useTyped(localOf(filter.from));
  const [to, setTo] = useTyped(localOf(filter.to));
  const hasRange = filter.from !== undefined || filter.to !== undefined;
  const within = filter.within ?? (hasRange ? BETWEEN : "");
  const show = (change: Filter): void => {
    const wanted = { ...filter, search: search.trim(), within, from: instantOf(from), to: instantOf(to), ...change };
    const range = wanted.within === BETWEEN ? {} : { from: "", to: "" };
    onSearch(filterOf({ ...wanted, ...range }));
  };
  const clear = (): void => {
    setSearch("");
    onSearch({});
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    show({});
  };
  const inZone = texts.zone(zone(nowMs()));
  const time = { type: "datetime-local", step: 1, title: inZone, description: inZone } as const;
  return (
    <form className="filter audit-filter" role="search" aria-label={words.filter} onSubmit={submit}>
      <TextInput
        {...field(words.text, search, setSearch)}
        name="search"
        type="search"
        maxLength={300}
        placeholder={words.aboutText}
      />
      <NativeSelect {...field(words.what, filter.action ?? "", (action) => show({ action }))} name="action">
        <ActionOptions chosen={filter.action ?? ""} />
      </NativeSelect>
      <NativeSelect {...field(words.within, within, (length) => show({ within: length }))} name="within">
        {texts.audit.lengths.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
      {within === BETWEEN && (
        <>
          <TextInput {...field(words.from, from, setFrom)} {...time} name="from" />
          <TextInput {...field(words.to, to, setTo)} {...time} name="to" />
        </>
      )}
      <div className="line">
        <Button type="submit">{words.search}</Button>
        {Object.keys(filter).length > 0 && (
          <Button variant="default" onClick={clear}>
            {words.clear}
          </Button>
        )}
      </div>
      <Narrowed {...{ filter }} onDrop={(name) => show({ [name]: "" })} />
    </form>
  );
}

function field(label: string, value: string, onChange: (value: string) => void) {
  return {
    ...{ label, value, onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value) },
    autoComplete: "off",
  };
}

/** What is typed, until something else stands in the address. */
function useTyped(given: string): readonly [string, (text: string) => void] {
  const [typed, setTyped] = useState(given);
  const [known, setKnown] = useState(given);
  if (known === given) return [typed, setTyped];
  setKnown(given);
  setTyped(given);
  return [given, setTyped];
}

/** By noun: all of it, or one act. */
function ActionOptions({ chosen }: { readonly chosen: string }) {
  const { knownActions } = texts;
  const isKnown = knownActions.some(({ noun, acts }) =>
    [noun, ...acts.map((act) => `${noun}.${act}`)].includes(chosen),
  );
  return (
    <>
      <option value="">{words.anyAction}</option>
      {!isKnown && chosen !== "" && <option>{chosen}</option>}
      {knownActions.map(({ noun, name, acts }) => (
        <optgroup key={noun} label={name}>
          {acts.length > 1 && <option value={noun}>{words.allOf(noun)}</option>}
          {acts.map((act) => (
            <option key={act}>{`${noun}.${act}`}</option>
          ))}
        </optgroup>
      ))}
    </>
  );
}

interface NarrowedProps {
  readonly filter: Filter;
  readonly onDrop: (name: "actor" | "target") => void;
}

/** To what a click in the table narrowed it: the whole of it, not a part. */
function Narrowed({ filter, onDrop }: NarrowedProps) {
  const narrowed = (["actor", "target"] as const).flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [{ name, text: words.only[name](value) }];
  });
  if (narrowed.length === 0) return null;
  return (
    <ul className="narrowed">
      {narrowed.map(({ name, text }) => (
        <li key={name}>
          <span>{text}</span>
          <button type="button" className="link" aria-label={words.drop(text)} onClick={() => onDrop(name)}>
            {words.dropShort}
          </button>
        </li>
      ))}
    </ul>
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
