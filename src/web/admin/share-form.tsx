import { NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";

import type { MadeShare } from "../api-types.js";
import { nowMs } from "../clock.js";
import type { PageProps } from "../place.js";
import { usePaths } from "../queries.js";
import { isoOf } from "../request.js";
import { localText, shownPaths, zone } from "../words.js";
import { makeShare } from "./admin-queries.js";
import { expiryInstant, ExpiryField } from "./expiry-field.js";
import { Form } from "./form.js";
import { texts } from "./strings.js";
import { fieldError, formError, useChange } from "./use-change.js";

interface ShareFormProps {
  /** What to begin with. */
  readonly query: PageProps["query"];
  readonly onMade: (share: MadeShare) => void;
}

const words = texts.shares;
const USUAL_MS = 300_000;
const LONGEST_SEC = 30 * 86_400;

export function ShareForm({ query, onMade }: ShareFormProps) {
  const { data } = usePaths();
  const names = data === undefined ? [] : shownPaths(data).map(({ name }) => name);
  const [path, setPath] = useState(query["path"] ?? "");
  const [from, setFrom] = useState(() => localOf(query["from"], nowMs() - USUAL_MS));
  const [to, setTo] = useState(() => localOf(query["to"], nowMs()));
  const [label, setLabel] = useState("");
  const [expiry, setExpiry] = useState("604800");
  const { mutate, isPending, error } = useChange(makeShare, ["shares", "audit"]);
  const make = (): void => {
    const share = { path, from: instantOf(from), to: instantOf(to), label, expiresAt: expiryInstant(expiry) ?? "" };
    mutate(share, { onSuccess: onMade });
  };
  const choices = path === "" || names.includes(path) ? names : [path, ...names];
  return (
    <Form label={words.add} isBusy={isPending} failure={formError(error)} onSubmit={make}>
      <NativeSelect
        label={words.path}
        value={path}
        error={fieldError(error, "path")}
        onChange={({ currentTarget }) => setPath(currentTarget.value)}
        data={[{ value: "", label: words.choose, disabled: true }, ...choices]}
        name="path"
        required
        withAsterisk={false}
        data-autofocus
      />
      <InstantField label={words.from} name="from" value={from} onChange={setFrom} error={fieldError(error, "from")} />
      <InstantField
        label={words.to}
        about={words.aboutTo}
        name="to"
        value={to}
        onChange={setTo}
        error={fieldError(error, "to")}
      />
      <TextInput
        label={words.label}
        description={words.aboutLabel}
        value={label}
        error={fieldError(error, "label")}
        onChange={({ currentTarget }) => setLabel(currentTarget.value)}
        name="label"
        autoComplete="off"
        maxLength={200}
      />
      <ExpiryField
        value={expiry}
        onChange={setExpiry}
        error={fieldError(error, "expiresAt")}
        longestSec={LONGEST_SEC}
      />
    </Form>
  );
}

interface InstantFieldProps {
  readonly label: string;
  readonly about?: string;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
}

function InstantField({ label, about, value, onChange, ...others }: InstantFieldProps) {
  const inZone = texts.zone(zone(nowMs()));
  return (
    <TextInput
      {...others}
      label={label}
      description={about === undefined ? inZone : `${about}. ${inZone}`}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      type="datetime-local"
      step={1}
      required
      withAsterisk={false}
    />
  );
}

function localOf(iso: string | undefined, otherwiseMs: number): string {
  const ms = Date.parse(iso ?? "");
  return localText(Number.isNaN(ms) ? otherwiseMs : ms);
}

/** What is no instant is told as such by the server. */
function instantOf(local: string): string {
  const ms = new Date(local).getTime();
  return Number.isNaN(ms) ? local : isoOf(ms);
}
