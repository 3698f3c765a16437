/**
 * Which page beside the recordings is shown: what stands behind `#` in the address, so that the recordings before it stay
 * as they were and one click leads back to them.
 */
export interface Place {
  readonly page: string;
  readonly query: Readonly<Record<string, string>>;
}

/** What every page is given. */
export interface PageProps {
  /** What the address says behind the page's name. */
  readonly query: Place["query"];
}

/** `#/audit?actor=anna`. Undefined: the recordings. */
export function readPlace(hash: string): Place | undefined {
  const [, page, query] = /^#\/([a-z-]+)(?:\?(.*))?$/.exec(hash) ?? [];
  return page === undefined ? undefined : { page, query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** Empty values are left out. */
export function placeHref(page: string, query: Place["query"] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return given.length === 0 ? `#/${page}` : `#/${page}?${new URLSearchParams(given).toString()}`;
}
