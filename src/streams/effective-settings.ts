/** Each setting of a path as it counts, and who said so. */
import { maskSetting } from "../contract/secret-settings.js";
import { SETTING_NAMES, type SettingName, settingFacts } from "../contract/setting-facts.js";

interface EffectiveSetting {
  readonly value: unknown;
  /** `defaults`: the base configuration; `mediamtx`: nobody says anything. */
  readonly from: "own" | "defaults" | "mediamtx";
  /** What would count if the path said nothing. */
  readonly inherited: unknown;
}

export type EffectiveSettings = Readonly<Record<SettingName, EffectiveSetting>>;

type Settings = Readonly<Record<string, unknown>>;

export function effectiveSettings(own: Settings, inherited: Settings): EffectiveSettings {
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, effective(name, own, inherited)]));
  return settings as unknown as EffectiveSettings;
}

/** As the API shows them. */
export function withoutPassword(settings: EffectiveSettings): EffectiveSettings {
  const shown = Object.entries(settings).map(([name, { from, value, inherited }]) => [
    name,
    { from, value: maskSetting(name, value), inherited: maskSetting(name, inherited) },
  ]);
  return Object.fromEntries(shown) as EffectiveSettings;
}

function effective(name: SettingName, own: Settings, inherited: Settings): EffectiveSetting {
  const fallback = inheritedSetting(name, own, inherited);
  if (Object.hasOwn(own, name)) return { value: own[name], from: "own", inherited: fallback.value };
  return { ...fallback, inherited: fallback.value };
}

function inheritedSetting(name: SettingName, own: Settings, inherited: Settings): Omit<EffectiveSetting, "inherited"> {
  const value = Object.hasOwn(inherited, name) ? inherited[name] : undefined;
  if (value !== undefined && value !== null) return { value: plain(name, value), from: "defaults" };
  // Reelkeeper's own addition to what such a path gets, see mediamtx/config-document.ts.
  if (name === "alwaysAvailableRecorded" && own["alwaysAvailable"] === true) return { value: false, from: "defaults" };
  return { value: settingFacts(name).mediamtxDefault, from: "mediamtx" };
}

/** MediaMTX's reader takes more words for true and false than ours. */
function plain(name: SettingName, value: unknown): unknown {
  if (settingFacts(name).type !== "boolean" || typeof value !== "string") return value;
  return /^(?:yes|on|true)$/i.test(value);
}
