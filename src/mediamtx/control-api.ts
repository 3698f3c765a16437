/**
 * MediaMTX's Control API v3, to read, and to end sessions: settings that are changed through it live in RAM and are lost
 * at the next reload. Answers are read loosely, because fields come and go between versions.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

import axios, { type AxiosInstance, isAxiosError } from "axios";
import { z } from "zod";

import { AppError } from "../core/errors.js";

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const ITEMS_PER_PAGE = 500;
const MAX_PAGES = 1_000;

export interface ControlApiOptions {
  /** `http://127.0.0.1:9997`. */
  readonly baseUrl: string;
  readonly user: string;
  readonly password: string;
  /** In place of user and password: a token for each call. */
  readonly bearer?: (() => Promise<string>) | undefined;
  readonly timeoutMs?: number;
}

/** Settings under MediaMTX's names, passwords masked by MediaMTX since 1.20.1: never to be written back. */
export type Settings = Readonly<Record<string, unknown>>;

export interface ServerPath {
  readonly name: string;
  /** The entry of the configuration that applies: differs from `name` for patterns. */
  readonly confName: string;
  /** A real stream is there; with `alwaysAvailable` an offline placeholder does not count. */
  readonly online: boolean;
  /** Null without a source. The id is empty for some types. */
  readonly source: { readonly type: string; readonly id: string } | null;
  readonly tracks: readonly string[];
  readonly inboundBytes: number;
}

/** Somebody who publishes or reads now. */
export interface ServerSession {
  readonly id: string;
  /** As in the routes of the API: `rtspsessions`. */
  readonly kind: string;
  readonly path: string;
  readonly action: "publish" | "read";
  /** Empty without a name. */
  readonly user: string;
  readonly query: string;
  readonly createdAtUs: number;
}

export interface ControlApi {
  info(signal: AbortSignal): Promise<{ readonly version: string; readonly startedAt: string }>;
  globalConfig(signal: AbortSignal): Promise<Settings>;
  pathDefaults(signal: AbortSignal): Promise<Settings>;
  /** All entries of `paths`, each with its defaults filled in. */
  listPathConfigs(signal: AbortSignal): Promise<readonly (Settings & { readonly name: string })[]>;
  listPaths(signal: AbortSignal): Promise<readonly ServerPath[]>;
  /** Of every protocol that is on; not those that only got as far as asking, and not a CDN's. */
  listSessions(signal: AbortSignal): Promise<readonly ServerSession[]>;
  /** One that is gone already is no failure. */
  kickSession(session: Pick<ServerSession, "kind" | "id">, signal: AbortSignal): Promise<void>;
}

/** Names that every supported version has; a protocol that is off has no such route. */
const SESSION_KINDS = [
  ...["rtspsessions", "rtspssessions", "rtmpconns", "rtmpsconns"],
  ...["hlssessions", "webrtcsessions", "srtconns", "moqsessions"],
] as const;

const infoSchema = z.looseObject({ version: z.string().max(200), started: z.string().default("") });
const settingsSchema = z.record(z.string(), z.unknown());
const pathConfigSchema = z.looseObject({ name: z.string() });
const pathSchema = z
  .looseObject({
    name: z.string(),
    confName: z.string().default(""),
    ready: z.boolean().optional(),
    available: z.boolean().optional(),
    online: z.boolean().optional(),
    source: z.looseObject({ type: z.string(), id: z.string().default("") }).nullish(),
    tracks: z.array(z.string()).nullish(),
    bytesReceived: z.number().optional(),
    inboundBytes: z.number().optional(),
  })
  .transform((path): ServerPath => ({
    name: path.name,
    confName: path.confName,
    // By itself MediaMTX's "online" is true for each path that pulls, whether or not anything comes.
    online: (path.online ?? true) && (path.available ?? path.ready ?? false),
    source: path.source ? { type: path.source.type, id: path.source.id } : null,
    tracks: path.tracks ?? [],
    inboundBytes: path.inboundBytes ?? path.bytesReceived ?? 0,
  }));
const sessionSchema = z.looseObject({
  id: z.string(),
  path: z.string().default(""),
  /** HLS has none: it only reads. */
  state: z.string().default("read"),
  user: z.string().default(""),
  query: z.string().default(""),
  created: z.string().default(""),
  isCDN: z.boolean().default(false),
});
const kickedSchema = z.unknown();

/** Every call throws `permission-denied` for 401 and 403, `unavailable` for whatever else is no proper answer. */
export function createControlApi(options: ControlApiOptions): ControlApi {
  const http = axios.create({
    baseURL: options.baseUrl,
    ...(options.bearer === undefined ? { auth: { username: options.user, password: options.password } } : {}),
    timeout: options.timeoutMs ?? TIMEOUT_MS,
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER_BYTES,
    maxBodyLength: 1_024,
    // The password must not go to a proxy that the environment names.
    proxy: false,
    validateStatus: () => true,
    httpAgent: new HttpAgent({ keepAlive: false }),
    httpsAgent: new HttpsAgent({ keepAlive: false }),
  });
  http.interceptors.request.use(async (request) => {
    if (options.bearer !== undefined) request.headers.set("Authorization", `Bearer ${await options.bearer()}`);
    return request;
  });
  const named = <T extends { readonly name: string }>(route: string, item: z.ZodType<T>, signal: AbortSignal) =>
    listAll(http, { route, item, keyOf: ({ name }) => name }, signal);
  return {
    info: async (signal) => {
      const { version, started } = await askJson(http, { route: "/v3/info", schema: infoSchema }, signal);
      return { version: version.replace(/^v/, ""), startedAt: started };
    },
    globalConfig: (signal) => askJson(http, { route: "/v3/config/global/get", schema: settingsSchema }, signal),
    pathDefaults: (signal) => askJson(http, { route: "/v3/config/pathdefaults/get", schema: settingsSchema }, signal),
    listPathConfigs: (signal) => named("/v3/config/paths/list", pathConfigSchema, signal),
    listPaths: (signal) => named("/v3/paths/list", pathSchema, signal),
    listSessions: async (signal) =>
      (await Promise.all(SESSION_KINDS.map((kind) => sessionsOf(http, kind, signal)))).flat(),
    kickSession: async ({ kind, id }, signal) => {
      const route = `/v3/${kind}/kick/${encodeURIComponent(id)}`;
      await askJson(http, { route, schema: kickedSchema, method: "POST", ifAbsent: null }, signal);
    },
  };
}

async function sessionsOf(http: AxiosInstance, kind: string, signal: AbortSignal): Promise<readonly ServerSession[]> {
  const list = { route: `/v3/${kind}/list`, item: sessionSchema, keyOf: ({ id }: { readonly id: string }) => id };
  const sessions = await listAll(http, { ...list, isOptional: true }, signal);
  return sessions.flatMap(({ id, path, state, user, query, created, isCDN }) => {
    if (path === "" || isCDN || (state !== "read" && state !== "publish")) return [];
    return [{ id, kind, path, action: state, user, query, createdAtUs: Date.parse(created) * 1_000 }];
  });
}

interface List<T> {
  readonly route: string;
  readonly item: z.ZodType<T>;
  readonly keyOf: (item: T) => string;
  /** There may be no such list, which is an empty one. */
  readonly isOptional?: boolean;
}

async function listAll<T>(http: AxiosInstance, list: List<T>, signal: AbortSignal): Promise<readonly T[]> {
  const page = z.looseObject({ pageCount: z.number().int().min(0), items: z.array(list.item) });
  const none = list.isOptional === true ? { ifAbsent: { pageCount: 0, items: [] } } : {};
  // Pages are cut from a list made anew each time, so an item may come twice.
  const byKey = new Map<string, T>();
  for (let index = 0; index < MAX_PAGES; index += 1) {
    const route = `${list.route}?itemsPerPage=${String(ITEMS_PER_PAGE)}&page=${String(index)}`;
    const answer = await askJson(http, { route, schema: page, ...none }, signal);
    for (const entry of answer.items) byKey.set(list.keyOf(entry), entry);
    if (index + 1 >= answer.pageCount) break;
  }
  return [...byKey.values()];
}

interface Question<T> {
  readonly route: string;
  readonly schema: z.ZodType<T>;
  /** Default: GET. */
  readonly method?: "POST";
  /** What 404 means; without it that is a failure. */
  readonly ifAbsent?: T;
}

async function askJson<T>(http: AxiosInstance, question: Question<T>, signal: AbortSignal): Promise<T> {
  const subject = `ask MediaMTX for ${question.route.split("?")[0] ?? ""}`;
  // axios' own timeout does not count while the connection is being made.
  const timeoutMs = http.defaults.timeout ?? TIMEOUT_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const { status, data } = await http
    .request<unknown>({
      url: question.route,
      method: question.method ?? "GET",
      signal: AbortSignal.any([signal, deadline]),
    })
    .catch((error: unknown) => {
      if (signal.aborted) throw new AppError({ kind: "cancelled", message: `${subject}: stopped` });
      throw unavailable(subject, deadline.aborted ? `no answer within ${String(timeoutMs)} ms` : reasonOf(error));
    });
  if (status === 401 || status === 403) {
    throw new AppError({
      kind: "permission-denied",
      message: `${subject}: status ${String(status)}, expected 200`,
      hint: "grant the user of MEDIAMTX_API_USER the actions api, metrics and playback in MediaMTX's authInternalUsers",
    });
  }
  if (status === 404 && question.ifAbsent !== undefined) return question.ifAbsent;
  if (status !== 200) throw unavailable(subject, `status ${String(status)}, expected 200`);
  const parsed = question.schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unavailable(subject, `answer not understood at "${issue?.path.join(".") ?? ""}": ${issue?.message ?? ""}`);
}

/** An axios error holds the whole request with the password, so neither it nor its text goes on as a cause. */
function reasonOf(error: unknown): string {
  if (!isAxiosError(error)) return "request failed";
  return error.code === undefined ? "request failed" : `request failed with ${error.code}`;
}

function unavailable(subject: string, reason: string): AppError {
  return new AppError({
    kind: "unavailable",
    message: `${subject}: ${reason}`,
    hint: "is MediaMTX running, and does MEDIAMTX_API_URL point to its Control API?",
  });
}
