/** The place in the address as state. */
import { useSyncExternalStore } from "react";

import { type Place, readPlace } from "./place.js";
import { CHANGED } from "./use-address.js";

function subscribe(listener: () => void): () => void {
  const events = ["popstate", "hashchange", CHANGED];
  for (const event of events) window.addEventListener(event, listener);
  return () => {
    for (const event of events) window.removeEventListener(event, listener);
  };
}

let last: { readonly hash: string; readonly place: Place | undefined } | undefined;

function current(): Place | undefined {
  if (last?.hash !== location.hash) last = { hash: location.hash, place: readPlace(location.hash) };
  return last.place;
}

/** A step that Back undoes. */
export function goTo(href: string): void {
  history.pushState(null, "", href);
  window.dispatchEvent(new Event(CHANGED));
}

export function usePlace(): Place | undefined {
  return useSyncExternalStore(subscribe, current);
}
