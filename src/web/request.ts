/**
 * Requests to the API, with the token that this tab keeps if the server wants one. Only addresses of this origin get
 * it: `isOwn` is asked for every request, so that a link to a bucket never carries it.
 */
import type { Problem } from "./api-types.js";
import { failure } from "./words.js";

export const token = (): string | null => sessionStorage.getItem("token");
export const keepToken = (text: string): void => sessionStorage.setItem("token", text);
export const forgetToken = (): void => sessionStorage.removeItem("token");

export class RequestError extends Error {
  /** undefined: no answer at all */
  readonly status: number | undefined;
  constructor(message: string, status: number | undefined) {
    super(message);
    this.status = status;
  }
}

function isOwn(url: string): boolean {
  return new URL(url, location.href).origin === location.origin;
}

export function authorization(url: string): Record<string, string> {
  const kept = token();
  return kept === null || !isOwn(url) ? {} : { Authorization: `Bearer ${kept}` };
}

/** Throws a RequestError with words for people. */
export async function get(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { headers: authorization(url), signal }).catch(() => undefined);
  signal.throwIfAborted();
  if (response?.ok === true) return response;
  const body: unknown = await response?.json().catch(() => undefined);
  const problem = (body ?? {}) as Problem;
  throw new RequestError(failure(problem, response?.status), response?.status);
}

export async function getJson<T>(url: string, signal: AbortSignal): Promise<T> {
  const response = await get(url, AbortSignal.any([signal, AbortSignal.timeout(10_000)]));
  return (await response.json()) as T;
}

/** A link cannot send the token; this fetches the file and hands it to the browser as a download. */
export async function download(url: string, signal: AbortSignal, onPercent: (percent: number) => void): Promise<void> {
  const response = await get(url, signal);
  const total = Number(response.headers.get("Content-Length"));
  let got = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, out) => {
      got += chunk.length;
      if (total > 0) onPercent(Math.floor((100 * got) / total));
      out.enqueue(chunk);
    },
  });
  const blob = await new Response(response.body?.pipeThrough(counter)).blob();
  save(URL.createObjectURL(blob), /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1]);
}

function save(href: string, name = "recording"): void {
  Object.assign(document.createElement("a"), { href, download: name }).click();
  if (href.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

export function apiUrl(route: string, query: Readonly<Record<string, string | number | readonly string[]>>): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    (typeof value === "object" ? value : [String(value)]).map((text) => `${name}=${encodeURIComponent(text)}`),
  );
  return `/api/v1/${route}?${parts.join("&")}`;
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();
