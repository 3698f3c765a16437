/** The address of the page as state: `go` makes a step that Back undoes, `note` changes the present one. */
import { useCallback, useSyncExternalStore } from "react";

import { type Address, readAddress, writeAddress } from "./address.js";

export const CHANGED = "reelkeeper-address";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

let last: { readonly search: string; readonly address: Address } | undefined;

function current(): Address {
  if (last?.search !== location.search) last = { search: location.search, address: readAddress(location.search) };
  return last.address;
}

export interface AddressState {
  readonly address: Address;
  readonly go: (change: Partial<Address>) => void;
  readonly note: (change: Partial<Address>) => void;
}

export function useAddress(): AddressState {
  const address = useSyncExternalStore(subscribe, current);
  const go = useCallback((change: Partial<Address>) => {
    history.pushState(null, "", writeAddress({ ...current(), ...change }));
    window.dispatchEvent(new Event(CHANGED));
  }, []);
  const note = useCallback((change: Partial<Address>) => {
    history.replaceState(null, "", writeAddress({ ...current(), ...change }));
    window.dispatchEvent(new Event(CHANGED));
  }, []);
  return { address, go, note };
}
