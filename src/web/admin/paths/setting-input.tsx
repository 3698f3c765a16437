/** One setting of a path: what it is, its value or the one it inherits, who said so, and the way back to the default. */
import { NativeSelect, Switch, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import { Mark } from "../../mark.js";
import { pathStrings } from "../path-strings.js";
import { type Field, type Shown, textOf, type TypedKind, valueOf } from "./fields.js";

export interface SettingInputProps {
  readonly field: Field;
  readonly shown: Shown;
  readonly error: string | undefined;
  /** What is allowed and seldom meant. */
  readonly warning?: string | undefined;
  /** undefined: back to what is inherited. */
  readonly onChange: (value: unknown) => void;
}

const { form } = pathStrings;

export function SettingInput(props: SettingInputProps) {
  const { field, shown, warning } = props;
  const isOwn = shown.own !== undefined;
  return (
    <div
      className="setting"
      data-field={field.name}
      data-origin={isOwn ? "own" : "defaults"}
      data-error-of={props.error === undefined ? undefined : field.name}
    >
      <Control {...props} />
      {warning !== undefined && <Mark mark={{ kind: "warn", text: warning }} />}
      <Origin {...props} />
    </div>
  );
}

/** What always has a value has nothing to go back to. */
function Origin({ field, shown, onChange }: SettingInputProps) {
  const { name, section, inherited } = field;
  const isOwn = shown.own !== undefined;
  const isNothing = section === "reelkeeper" && inherited === "";
  return (
    <p className="origin">
      {inherited !== undefined && (
        <span className="badge">{isOwn ? form.own : isNothing ? form.notSet : form.fromDefaults}</span>
      )}
      {shown.isChanged && <span className="badge changed">{form.changed}</span>}
      {inherited !== undefined && isOwn && (
        <button type="button" className="link" aria-label={form.toDefaultOf(name)} onClick={() => onChange(undefined)}>
          {form.toDefault(inWords(field, inherited))}
        </button>
      )}
    </p>
  );
}

/** For people: what a switch or an empty field would stand for. */
export function inWords({ kind }: Field, value: unknown): string {
  if (kind === "boolean") return value === true ? form.yes : form.no;
  return textOf(kind, value).replaceAll("\n", ", ");
}

function Control({ field, shown, error, onChange }: SettingInputProps) {
  const { name, kind, inherited, unsupported } = field;
  const { own } = shown;
  const common = {
    label: name,
    description: describe(field, own),
    error: error ?? (false as const),
    disabled: unsupported !== undefined,
    name,
  };
  if (kind === "boolean") {
    return (
      <Switch
        {...common}
        checked={(own ?? inherited) === true}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    );
  }
  if (kind === "labels") {
    return (
      <TagsInput
        {...common}
        value={Array.isArray(own) ? own.map(String) : []}
        onChange={onChange}
        comboboxProps={{ withinPortal: false, transitionProps: { duration: 0 } }}
      />
    );
  }
  /** An empty field is one that says nothing. */
  const take = (typed: string): void =>
    onChange(typed === "" && inherited !== undefined ? undefined : valueOf(kind, typed));
  if (kind === "choice") {
    return (
      <NativeSelect
        {...common}
        value={textOf(kind, own ?? inherited)}
        onChange={({ currentTarget }) => take(currentTarget.value)}
      >
        {choicesOf(field).map((choice) => (
          <option key={choice} value={choice}>
            {choice === "" ? form.notSet : choice}
          </option>
        ))}
      </NativeSelect>
    );
  }
  return <TypedText {...{ ...common, kind, own, take }} placeholder={inWords(field, inherited)} />;
}

function choicesOf({ choices, own, inherited }: Field): readonly string[] {
  const known = [textOf("choice", inherited), textOf("choice", own)];
  return [...new Set([...(inherited === undefined ? [] : known), ...choices])];
}

function describe(
  { help, accepts, needsReconnect, unsupported, name, kind, choices, isSecret }: Field,
  own: unknown,
): string {
  const isMasked = isSecret && /(?:^|[:=])\*\*\*(?:[@&]|$)/.test(textOf("text", own));
  const words = [
    help,
    ...(accepts === "" || kind === "boolean" || kind === "choice" ? [] : [form.accepts(accepts.replaceAll("`", ""))]),
    ...(kind === "tracks" ? [form.tracks] : []),
    ...(name === "template" && choices.length === 0 ? [form.noTemplates] : []),
    ...(needsReconnect ? [form.reconnects] : []),
    ...(isMasked ? [form.maskKept] : []),
    ...(unsupported === undefined ? [] : [unsupported]),
  ];
  return words.join(" ");
}

interface TypedTextProps {
  readonly label: string;
  readonly name: string;
  readonly description: string;
  readonly placeholder: string;
  readonly error: string | false;
  readonly disabled: boolean;
  readonly kind: TypedKind;
  readonly own: unknown;
  readonly take: (typed: string) => void;
}

/** Shows what is typed while it stands for the value: "a, " is the list of a alone, and yet a b may follow. */
function TypedText({ kind, own, take, ...common }: TypedTextProps) {
  const [typed, setTyped] = useState(() => textOf(kind, own));
  const isTyped = JSON.stringify(valueOf(kind, typed)) === JSON.stringify(own);
  const props = {
    ...common,
    value: isTyped ? typed : textOf(kind, own),
    onChange: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) => {
      setTyped(currentTarget.value);
      take(currentTarget.value);
    },
    autoComplete: "off",
    spellCheck: false,
  };
  return kind === "tracks" ? <Textarea {...props} rows={3} /> : <TextInput {...props} />;
}
