/**
 * Who wants something of MediaMTX, by what it tells us of them, and whether they may: the same policy as for recordings.
 * Nothing here says why somebody is refused.
 */
import { findPublishCredential } from "../catalog/publish-credentials.js";
import { findLiveSession } from "../catalog/sessions.js";
import type { Catalog } from "../catalog/catalog.js";
import { findUser } from "../catalog/users.js";
import type { StreamRequest } from "../contract/mediamtx-auth.js";
import { isAppError } from "../core/errors.js";
import { isPathName } from "../core/path-name.js";
import type { Principal, Target } from "../core/principal.js";
import { principalOfUser } from "../core/user.js";
import { isSame } from "./caller.js";
import type { CheckedPasswords } from "./checked-passwords.js";
import { API_TOKEN_PREFIX } from "./identity.js";
import { decide, seesEveryPath } from "./policy.js";
import type { Principals } from "./principals.js";

/** How somebody proved who they are, so that it can be asked again whether that still counts. */
export type StreamCaller =
  /** Reelkeeper itself. */
  | { readonly kind: "reelkeeper" }
  /** With what may be published to one path. */
  | { readonly kind: "publisher"; readonly credentialId: string }
  | { readonly kind: "password"; readonly userId: string; readonly passwordHash: string }
  | { readonly kind: "session"; readonly sessionId: string }
  | { readonly kind: "token"; readonly tokenId: string };

type StreamAction = StreamRequest["action"];

export interface Wanted {
  readonly action: StreamAction;
  /** As MediaMTX says it; empty where it has none. */
  readonly path: string;
}

export interface StreamCallerDeps {
  readonly catalog: Catalog;
  readonly passwords: Pick<CheckedPasswords, "verify">;
  readonly principals: Principals;
  /** What stands behind `Bearer`. Throws `unauthenticated`. */
  readonly byBearer: (token: string) => Promise<Principal>;
  /** Of Reelkeeper's own calls. */
  readonly own: { readonly user: string; readonly password: string };
}

/** Undefined: nobody we know, or not for that. Throws when it cannot be told. */
export async function admit(deps: StreamCallerDeps, request: StreamRequest): Promise<StreamCaller | undefined> {
  const caller = await identifyStreamCaller(deps, request);
  return caller !== undefined && (await mayStill(deps, caller, request)) ? caller : undefined;
}

/** Whether what they were once let in for is still open to them. */
export async function mayStill(deps: StreamCallerDeps, caller: StreamCaller, wanted: Wanted): Promise<boolean> {
  const { action, path } = wanted;
  if (caller.kind === "reelkeeper") return OWN.includes(action);
  if (caller.kind === "publisher") {
    if (action !== "publish" || !isPathName(path)) return false;
    return (await findPublishCredential(deps.catalog, path))?.id === caller.credentialId;
  }
  const principal = await principalOf(deps, caller);
  return principal !== undefined && mayWatch(principal, wanted);
}

const OWN: readonly StreamAction[] = ["api", "metrics", "playback"];

/** What is not about one path is for those who see all; nobody but Reelkeeper changes MediaMTX by its Control API. */
function mayWatch(principal: Principal, { action, path }: Wanted): boolean {
  const seesAll = principal.range === null && seesEveryPath(principal.scopes);
  switch (action) {
    case "read":
    case "playback":
      return isPathName(path) && isOpen(principal, { path });
    case "metrics":
      return seesAll;
    case "pprof":
      return seesAll && principal.role === "admin";
    case "publish":
    case "api":
      return false;
    default:
      return action satisfies never;
  }
}

function isOpen(principal: Principal, target: Target): boolean {
  return decide(principal, "viewer", target) === "allowed";
}

async function principalOf(
  { catalog, principals }: StreamCallerDeps,
  caller: Exclude<StreamCaller, { kind: "reelkeeper" | "publisher" }>,
): Promise<Principal | undefined> {
  if (caller.kind === "token") return principals.find("token", caller.tokenId);
  if (caller.kind === "password") {
    const user = await findUser(catalog, { id: caller.userId });
    const isAsBefore = user !== undefined && !user.disabled && user.passwordHash === caller.passwordHash;
    return isAsBefore ? principalOfUser(user, null) : undefined;
  }
  const session = await findLiveSession(catalog, caller.sessionId);
  return session === undefined ? undefined : principals.find("user", session.userId);
}

async function identifyStreamCaller(deps: StreamCallerDeps, request: StreamRequest): Promise<StreamCaller | undefined> {
  const { action, user, password } = request;
  if (action === "publish") return identifyPublisher(deps, request);
  if (OWN.includes(action) && isOwn(deps.own, request)) return { kind: "reelkeeper" };
  const token = tokenIn(request);
  if (token !== undefined) return byToken(deps, token);
  return user === "" || password === "" ? undefined : byPassword(deps, request);
}

function isOwn(own: StreamCallerDeps["own"], { user, password }: StreamRequest): boolean {
  const isRight = isSame(password, own.password);
  return isSame(user, own.user) && isRight;
}

/** Whoever the user is, a wrong one costs what a wrong password costs. */
async function identifyPublisher(
  { catalog, passwords }: StreamCallerDeps,
  { path, user, password, ip }: StreamRequest,
): Promise<StreamCaller | undefined> {
  if (!isPathName(path) || password === "") return undefined;
  const credential = await findPublishCredential(catalog, path);
  if (credential === undefined) return undefined;
  const isRight = await passwords.verify(credential.passwordHash, password, { address: ip, name: `publish ${path}` });
  return isSame(user, credential.user) && isRight ? { kind: "publisher", credentialId: credential.id } : undefined;
}

async function byPassword(
  { catalog, passwords }: StreamCallerDeps,
  { user: name, password, ip }: StreamRequest,
): Promise<StreamCaller | undefined> {
  const user = await findUser(catalog, { name });
  const passwordHash = user?.passwordHash ?? null;
  const isRight = await passwords.verify(passwordHash, password, { address: ip, name });
  if (user === undefined || passwordHash === null || !isRight) return undefined;
  return { kind: "password", userId: user.id, passwordHash };
}

async function byToken({ byBearer }: StreamCallerDeps, token: string): Promise<StreamCaller | undefined> {
  try {
    const { kind, id, sessionId } = await byBearer(token);
    if (kind === "token") return { kind: "token", tokenId: id };
    return sessionId === null ? undefined : { kind: "session", sessionId };
  } catch (error) {
    if (isAppError(error, "unauthenticated")) return undefined;
    throw error;
  }
}

/** Players that know only users and passwords give it as the password; those that know nothing have it in the URL. */
function tokenIn({ password, token, query }: Pick<StreamRequest, "password" | "token" | "query">): string | undefined {
  if (password !== "") return isTokenText(password) ? password : undefined;
  if (token !== "") return token;
  const parameters = new URLSearchParams(query);
  const [given, ...more] = [...parameters.getAll("token"), ...parameters.getAll("jwt")];
  return given === undefined || given === "" || more.length > 0 ? undefined : given;
}

/** An API token, or a JWT of ours. */
function isTokenText(text: string): boolean {
  return text.startsWith(API_TOKEN_PREFIX) || /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}

/**
 * Who is behind a session that began before we did. For a user their password of now counts as the one that was given;
 * undefined: MediaMTX does not know enough.
 */
export async function recognize(
  deps: StreamCallerDeps,
  session: Wanted & { readonly user: string; readonly query: string; readonly createdAtUs: number },
): Promise<StreamCaller | undefined> {
  const { action, path, user: name, query, createdAtUs } = session;
  if (action === "publish") {
    const credential = isPathName(path) ? await findPublishCredential(deps.catalog, path) : undefined;
    if (credential?.user !== name || credential.setAtUs > createdAtUs) return undefined;
    return { kind: "publisher", credentialId: credential.id };
  }
  const token = tokenIn({ password: "", token: "", query });
  if (token !== undefined) return byToken(deps, token);
  const user = name === "" ? undefined : await findUser(deps.catalog, { name });
  const passwordHash = user?.passwordHash ?? null;
  return user === undefined || passwordHash === null ? undefined : { kind: "password", userId: user.id, passwordHash };
}
