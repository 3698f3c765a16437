/** What there is of each, in the order in which it is shown. */
export const SECTIONS = [
  "reelkeeper",
  "source",
  "recording",
  "publisher",
  "readers",
  "alwaysAvailable",
  "commands",
] as const;
export type Section = (typeof SECTIONS)[number];

export const PATH_STATES = ["recording", "live", "off", "disabled", "unknown"] as const;
export type PathState = (typeof PATH_STATES)[number];
