/** How long something is good for. */
import { NativeSelect } from "@mantine/core";

import { nowMs } from "../clock.js";
import { isoOf } from "../request.js";
import { texts } from "./strings.js";

interface ExpiryFieldProps {
  /** Seconds from now; empty: for ever. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
  /** Infinity: also for ever. */
  readonly longestSec: number;
}

export function ExpiryField({ value, onChange, error, longestSec }: ExpiryFieldProps) {
  const offered = texts.expiries.filter(([sec]) => (sec === "" ? Infinity : Number(sec)) <= longestSec);
  return (
    <NativeSelect
      label={texts.tokens.expires}
      value={value}
      error={error}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      data={offered.map(([sec, label]) => ({ value: sec, label }))}
      name="expires"
    />
  );
}

/** Null: never. */
export function expiryInstant(value: string): string | null {
  return value === "" ? null : isoOf(nowMs() + Number(value) * 1_000);
}
