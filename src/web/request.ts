/**
 * Requests to the API, by the cookies of a login, or with the token that this tab keeps. Only addresses of Reelkeeper
 * get that: `isOwn` is asked for every request, so that a link to a bucket never carries it.
 */
import type { Problem } from "./api-types.js";
import { endLogin, isLoginOver, renewLogin, whenLoggedIn } from "./login-state.js";
import { strings } from "./strings.js";
import { failure } from "./words.js";

/** Where Reelkeeper lives: this page is at its root, which may be a path of the host beside neighbours. */
const home = (): URL => new URL(".", location.href);
/** The neighbours may be Reelkeepers, too. See http/page/docs.js. */
const tokenKey = (): string => (home().pathname === "/" ? "token" : `token ${home().pathname}`);

export const token = (): string | null => sessionStorage.getItem(tokenKey());
export const keepToken = (text: string): void => sessionStorage.setItem(tokenKey(), text);
export const forgetToken = (): void => sessionStorage.removeItem(tokenKey());

const TIMEOUT_MS = 10_000;

export class RequestError extends Error {
  /** undefined: no answer at all */
  readonly status: number | undefined;
  /** What is wrong with which field, where the answer says so. */
  readonly fields: Readonly<Record<string, string>>;
  constructor(message: string, status: number | undefined, problem: Problem = {}) {
    super(message);
    this.status = status;
    this.fields = Object.fromEntries((problem.errors ?? []).map(({ field, message: why }) => [field, why]));
  }
}

function isOwn(url: string): boolean {
  return new URL(url, location.href).href.startsWith(home().href);
}

export function authorization(url: string): Record<string, string> {
  const kept = token();
  return kept === null || !isOwn(url) ? {} : { Authorization: `Bearer ${kept}` };
}

/** Throws a RequestError with words for people. Whoever is not known (any more) is asked to log in. */
export async function get(url: string, signal: AbortSignal): Promise<Response> {
  return ask(url, { signal });
}

export async function getJson<T>(url: string, signal: AbortSignal): Promise<T> {
  const response = await get(url, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
  return (await response.json()) as T;
}

/** What changes something. Throws as `get`. */
export async function send<T>(method: "POST" | "PATCH" | "DELETE", url: string, body?: unknown): Promise<T> {
  const response = await ask(url, { method, ...bodyOf(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
  return (await response.json()) as T;
}

interface Body {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Init extends Body {
  readonly method?: string;
  readonly signal: AbortSignal;
}

async function ask(url: string, init: Init): Promise<Response> {
  if (isLoginOver()) throw new RequestError(strings.login.over, 401);
  const first = await tryOnce(url, init);
  if (first?.status !== 401) return checked(first);
  // Undefined: nobody can tell now.
  const isRenewed = token() === null ? await renewLogin().catch(() => undefined) : false;
  const second = isRenewed === true ? await tryOnce(url, init) : first;
  if (isRenewed !== undefined && second?.status === 401) endLogin();
  return checked(second);
}

/** For others that were answered 401: resolves when it is worth to ask again. Throws when nobody can tell. */
export async function regainLogin(signal: AbortSignal): Promise<void> {
  const isRenewed = token() === null && (await renewLogin());
  if (!isRenewed) endLogin();
  await whenLoggedIn(signal);
}

/** Undefined: no answer. */
async function tryOnce(url: string, init: Init): Promise<Response | undefined> {
  const { signal } = init;
  const response = await fetch(url, { ...init, headers: { ...authorization(url), ...init.headers } }).catch(
    () => undefined,
  );
  if (signal.aborted && !(signal.reason instanceof DOMException && signal.reason.name === "TimeoutError")) {
    throw signal.reason;
  }
  return response;
}

/** For requests that say by themselves who asks: nothing is renewed, and nobody is logged out by their answer. */
export async function checked(response: Response | undefined): Promise<Response> {
  if (response?.ok === true) return response;
  const body: unknown = await response?.json().catch(() => undefined);
  const problem = (body ?? {}) as Problem;
  throw new RequestError(failure(problem, response?.status), response?.status, problem);
}

export function bodyOf(body: unknown): Body {
  return body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
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
  return `api/v1/${route}?${parts.join("&")}`;
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();
