/**
 * Whether the server still knows who asks here. The cookies of a login are out of reach of scripts: what is kept is when
 * to renew them, which all tabs share, so that one of them does it.
 */
import { useSyncExternalStore } from "react";

import type { LoggedIn } from "./api-types.js";
import { nowMs } from "./clock.js";

const RENEW_AT = "reelkeeper-renew-at";
/** Of its life an access token serves so much; then it is renewed, before it fails anybody. */
const SERVED = 0.8;
const LOOK_EVERY_MS = 15_000;

let isOver = false;
const listeners = new Set<() => void>();

function setOver(value: boolean): void {
  isOver = value;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** True: nothing more is asked of the server until somebody has proved anew who they are. */
export const isLoginOver = (): boolean => isOver;
export const endLogin = (): void => setOver(true);
export const useIsLoginOver = (): boolean => useSyncExternalStore(subscribe, isLoginOver);

/** Somebody has proved who they are. */
export const resumeLogin = (): void => setOver(false);

/** Resolves at once, or as soon as somebody has proved who they are; never after `signal`. */
export function whenLoggedIn(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isOver) return;
      stop();
      resolve();
    };
    const stop = subscribe(look);
    signal.addEventListener("abort", stop);
    look();
  });
}

/** By the server's own clock, because the browser's may be wrong. */
export function noteLifetime({ accessTokenExpiresAt }: LoggedIn, serverDate: string | null): void {
  const lifetimeMs = Date.parse(accessTokenExpiresAt) - Date.parse(serverDate ?? "");
  if (lifetimeMs > 0) localStorage.setItem(RENEW_AT, String(nowMs() + lifetimeMs * SERVED));
}

let renewing: Promise<boolean> | undefined;

/** Whether there is a login to go on with. Many may ask at once; one request is made. Throws without an answer. */
export function renewLogin(): Promise<boolean> {
  renewing ??= askForRenewal().finally(() => (renewing = undefined));
  return renewing;
}

async function askForRenewal(): Promise<boolean> {
  const response = await fetch("api/v1/login/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
    signal: AbortSignal.timeout(10_000),
  });
  if (response.status === 401) {
    localStorage.removeItem(RENEW_AT);
    return false;
  }
  if (!response.ok) throw new Error(`the server answers ${String(response.status)}`);
  noteLifetime((await response.json()) as LoggedIn, response.headers.get("Date"));
  return true;
}

/** While the page is seen. What fails here is found out by the next request. */
export function keepLogin(): () => void {
  const look = (): void => {
    const renewAtMs = Number(localStorage.getItem(RENEW_AT) ?? Infinity);
    if (!document.hidden && !isOver && nowMs() >= renewAtMs) renewLogin().catch(() => undefined);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
