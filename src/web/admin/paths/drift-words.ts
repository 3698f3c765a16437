/** Drift, in words for people: the value at each side, which can count, and what a decision does. Pure. */
import type { DriftItem } from "../../api-types.js";
import { configStrings } from "../config-strings.js";

export interface TakeOver {
  readonly path: string;
  readonly from: "file" | "server";
  readonly settings: readonly string[];
}

export const SIDES = ["table", "file", "server"] as const;
export type Side = (typeof SIDES)[number];
/** By `keyOf`; absent: the table counts. */
export type Choices = Readonly<Record<string, TakeOver["from"]>>;

const { drift: words, places } = configStrings;

export const keyOf = ({ where, path, setting }: DriftItem): string => JSON.stringify([where, path, setting]);

function placeOf({ where, path }: Pick<DriftItem, "where" | "path">): string {
  return where === "path" ? (path ?? "") : places[where];
}

export function settingOf({ setting }: Pick<DriftItem, "setting">): string {
  return setting === "" ? words.entry : setting;
}

/** `canAsk`: MediaMTX answers. */
export function valueAt(item: DriftItem, side: Side, canAsk: boolean): string {
  const value = item[side];
  if (side === "server" && !canAsk) return words.unknown;
  if (item.setting === "") return value === null ? words.isAbsent : words.isThere;
  if (value !== null) return value === "" ? '""' : value;
  return side === "server" ? words.notTold : words.notSet;
}

/** They differ all the same. */
export function isHidden({ table, file, server, setting }: DriftItem): boolean {
  const told = [table, file, server].filter((value) => value !== null);
  return setting !== "" && told.length > 1 && new Set(told).size === 1 && (table ?? "").includes("***");
}

/** Why the table alone can count; undefined: there is a choice. */
export function whyOnlyTable({ where, path, setting, table, canTakeOver }: DriftItem): string | undefined {
  if (canTakeOver.length > 0) return undefined;
  const { base, absent, foreign, ours } = words.onlyTable;
  if (where !== "path" || /^~|^all(?:_others)?$/.test(path ?? "")) return base;
  if (setting === "") return table === null ? foreign : absent;
  return ours;
}

export function choiceOf(item: DriftItem, choices: Choices): Side {
  const chosen = choices[keyOf(item)];
  return chosen !== undefined && item.canTakeOver.includes(chosen) ? chosen : "table";
}

/** One side for all; where it cannot be taken over the table counts. */
export function chooseAll(items: readonly DriftItem[], side: Side): Choices {
  if (side === "table") return {};
  return Object.fromEntries(items.filter((item) => item.canTakeOver.includes(side)).map((item) => [keyOf(item), side]));
}

export function takeOversOf(items: readonly DriftItem[], choices: Choices): TakeOver[] {
  return items.flatMap((item) => {
    const from = choiceOf(item, choices);
    return from === "table" || item.path === null ? [] : [{ path: item.path, from, settings: [item.setting] }];
  });
}

export function outcomeOf(item: DriftItem, choices: Choices): string {
  const { outcome, sides } = words;
  const [from, place] = [choiceOf(item, choices), placeOf(item)];
  if (item.setting === "") {
    if (from !== "table") return outcome.takenEntry(place);
    return item.table === null ? outcome.goneEntry(place) : outcome.backEntry(place);
  }
  const value = valueAt(item, from, true);
  const what = `${place}: ${item.setting}`;
  if (from !== "table") return outcome.taken(what, value, sides[from]);
  return item.table === null ? outcome.unset(what) : outcome.back(what, value);
}

interface Place {
  readonly name: string;
  readonly items: readonly DriftItem[];
}

/** In the order in which they come. */
export function byPlace(items: readonly DriftItem[]): readonly Place[] {
  const places = new Map<string, DriftItem[]>();
  for (const item of items) {
    const key = JSON.stringify([item.where, item.path]);
    places.set(key, [...(places.get(key) ?? []), item]);
  }
  return [...places.values()].map((own) => ({ name: own[0] === undefined ? "" : placeOf(own[0]), items: own }));
}
