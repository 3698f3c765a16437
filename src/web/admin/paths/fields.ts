/** The fields of a path as its form knows them: what each takes, who said its value, and what is changed but not sent. */
import type { Path, Setting, TemplateList } from "../../api-types.js";
import { pathStrings } from "../path-strings.js";
import type { Section } from "./kinds.js";

export type FieldKind = "boolean" | "choice" | "text" | "integer" | "labels" | "ports" | "tracks";

export interface Field {
  readonly name: string;
  readonly section: Section;
  readonly kind: FieldKind;
  readonly accepts: string;
  readonly help: string;
  readonly choices: readonly string[];
  readonly needsReconnect: boolean;
  /** Shown masked. */
  readonly isSecret: boolean;
  /** Why it cannot be set here; undefined: it can. */
  readonly unsupported: string | undefined;
  /** What the path says; undefined: nothing. */
  readonly own: unknown;
  /** What counts where the path says nothing; undefined: it always says something. */
  readonly inherited: unknown;
}

/** A merge patch, as the API takes it: null goes back to what is inherited. */
export type Draft = Readonly<Record<string, unknown>>;

/** `path`: undefined for one that is still to be added. */
export function fieldsOf(
  path: Path | undefined,
  settings: readonly Setting[],
  templates: TemplateList["items"],
): readonly Field[] {
  return [...ourFields(path), ...settings.map((setting) => settingField(path, setting, templates))];
}

function settingField(path: Path | undefined, setting: Setting, templates: TemplateList["items"]): Field {
  const { name, section, accepts, help, needsReconnect, isSupported, minVersion, secret } = setting;
  const known = path?.effective?.[name];
  const isTemplate = name === "template";
  return {
    ...{ name, section, accepts, help, needsReconnect, kind: kindOf(setting), isSecret: secret !== null },
    choices: isTemplate ? templates.map(({ id }) => id) : (setting.choices ?? []),
    unsupported: isSupported ? undefined : pathStrings.form.needsVersion(minVersion ?? ""),
    own: known?.from === "own" ? known.value : undefined,
    inherited: known === undefined ? setting.inherited : known.inherited,
  };
}

function kindOf({ name, type }: Setting): FieldKind {
  if (type === "list") return name === "alwaysAvailableTracks" ? "tracks" : "ports";
  return type === "duration" || type === "size" ? "text" : type;
}

function ourFields(path: Path | undefined): readonly Field[] {
  const common = {
    section: "reelkeeper",
    choices: [],
    needsReconnect: false,
    isSecret: false,
    unsupported: undefined,
  } as const;
  const words = pathStrings.ours;
  return [
    {
      ...{ ...common, ...words.enabled, name: "enabled", kind: "boolean", needsReconnect: true },
      ...{ own: path?.enabled ?? true, inherited: undefined },
    },
    { ...{ ...common, ...words.group, name: "group", kind: "text" }, own: path?.group ?? undefined, inherited: "" },
    {
      ...{ ...common, ...words.labels, name: "labels", kind: "labels" },
      own: path?.labels ?? [],
      inherited: undefined,
    },
    {
      ...{ ...common, ...words.archive, name: "archive", kind: "choice", choices: ["all", "none"] },
      ...{ own: path?.archive ?? "all", inherited: undefined },
    },
    {
      ...{ ...common, ...words.localRetention, name: "localRetention", kind: "text" },
      ...{ own: path?.localRetention ?? undefined, inherited: "LOCAL_RETENTION" },
    },
    {
      ...{ ...common, ...words.archiveRetention, name: "archiveRetention", kind: "text" },
      ...{ own: path?.archiveRetention ?? undefined, inherited: "" },
    },
  ];
}

export interface Shown {
  /** Undefined: nothing of its own, so that what is inherited counts. */
  readonly own: unknown;
  readonly isChanged: boolean;
}

export function shownOf({ name, own }: Field, draft: Draft): Shown {
  if (!Object.hasOwn(draft, name)) return { own, isChanged: false };
  return { own: draft[name] ?? undefined, isChanged: true };
}

/** `value`: undefined goes back to what is inherited. What ends where it began is no change. */
export function edited(draft: Draft, { name, own }: Field, value: unknown): Draft {
  const rest = Object.fromEntries(Object.entries(draft).filter(([key]) => key !== name));
  return JSON.stringify(value) === JSON.stringify(own) ? rest : { ...rest, [name]: value ?? null };
}

/** Of a path that is added there is nothing to go back from. */
export function settingsOfNew(draft: Draft): Draft {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== null));
}

/** As a person types it. */
export function textOf(kind: FieldKind, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (kind === "tracks" && Array.isArray(value)) return value.map(trackText).join("\n");
  if (Array.isArray(value)) return value.map(String).join(kind === "ports" ? "-" : ", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Labels are a list from the beginning. */
export type TypedKind = Exclude<FieldKind, "labels">;

/** What cannot be read goes to the server as it is, which says what would be right. */
export function valueOf(kind: TypedKind, text: string): unknown {
  const parts = (by: RegExp): string[] =>
    text
      .split(by)
      .map((part) => part.trim())
      .filter((part) => part !== "");
  switch (kind) {
    case "boolean":
      return text === "true";
    case "ports":
      return parts(/[-,\s]+/).map(numberIn);
    case "tracks":
      return parts(/\n/).map(trackIn);
    case "integer":
      return numberIn(text.trim());
    case "choice":
    case "text":
      return text;
  }
}

const numberIn = (text: string): unknown => (/^\d{1,15}$/.test(text) ? Number(text) : text);

function trackText(track: unknown): string {
  const { codec, sampleRate, channelCount, muLaw } = track as Readonly<
    Record<string, string | number | boolean | undefined>
  >;
  return [codec, sampleRate, channelCount, ...(muLaw === true ? ["muLaw"] : [])]
    .filter((part) => part !== undefined)
    .join(" ");
}

function trackIn(text: string): unknown {
  const words = text.split(/\s+/);
  const [codec, sampleRate, channelCount] = words.filter((word) => word !== "muLaw");
  return {
    codec,
    ...(sampleRate === undefined ? {} : { sampleRate: numberIn(sampleRate) }),
    ...(channelCount === undefined ? {} : { channelCount: numberIn(channelCount) }),
    ...(words.includes("muLaw") ? { muLaw: true } : {}),
  };
}

/** What the server refuses, by field; under "" what belongs to none that is shown. */
export function errorsByField(
  errors: Readonly<Record<string, string>>,
  names: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const byField: Record<string, string> = {};
  for (const [place, message] of Object.entries(errors)) {
    const field = place.replace(/^(?:changes\.\d+\.(?:settings\.)?|patch\.)/, "").split(".")[0] ?? "";
    const name = names.has(field) ? field : "";
    byField[name] = [...(byField[name] === undefined ? [] : [byField[name]]), message].join("; ");
  }
  return byField;
}
