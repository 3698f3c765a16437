/** Wires who may publish and watch at MediaMTX to users and tokens, and to MediaMTX's sessions. */
import { ADMIN_TOKEN, isSame } from "../access/caller.js";
import { CheckedPasswords } from "../access/checked-passwords.js";
import { LoginLimit } from "../access/login-limit.js";
import { createStreamAccess, type StreamAccess } from "../access/stream-access.js";
import { mayStill, recognize, type StreamCallerDeps } from "../access/stream-caller.js";
import { StreamSessions } from "../access/stream-sessions.js";
import { callerOfSubject, type StreamTokens } from "../access/stream-tokens.js";
import { AppError } from "../core/errors.js";
import type { HttpDeps } from "../http/http-deps.js";
import { createPrincipals } from "./create-principals.js";
import type { Parts } from "./parts.js";
import type { Setup } from "./setup.js";

/** Tries with a wrong password a minute; MediaMTX lets whoever else wants something wait meanwhile. */
const OF_ADDRESS = 30;

export interface StreamParts {
  readonly streams: StreamAccess;
  readonly sessions: StreamSessions;
}

export function createStreams(
  { config, secrets, clock, logger }: Setup,
  { catalog, mediamtx }: Pick<Parts, "catalog" | "mediamtx">,
  { login, tokens }: { readonly login: HttpDeps["login"]; readonly tokens: StreamTokens | null },
): StreamParts {
  const mode = config.mediamtx.auth;
  const limits = { ofAddress: OF_ADDRESS, ofAll: Number.POSITIVE_INFINITY };
  const limit = new LoginLimit(() => clock.monotonicMs(), limits);
  const deps: StreamCallerDeps = {
    catalog,
    passwords: new CheckedPasswords({ passwords: login.passwords, limit }),
    principals: createPrincipals(catalog, secrets, login.identity),
    byBearer: async (token) => {
      if (secrets.adminToken !== null && isSame(token, secrets.adminToken)) return ADMIN_TOKEN;
      if (login.identity !== null) return login.identity.byBearer(token);
      throw new AppError({ kind: "unauthenticated", message: "nobody logs in here" });
    },
    own: { user: config.mediamtx.apiUser, password: secrets.mediamtxApiPassword },
  };
  const sessions = new StreamSessions({
    ...{ clock, logger, beginsUnasked: mode === "jwt" },
    list: (signal) => mediamtx.listSessions(signal),
    kick: (session, signal) => mediamtx.kickSession(session, signal),
    mayStill: (caller, wanted) => mayStill(deps, caller, wanted),
    recognize: (session) =>
      mode === "jwt" ? Promise.resolve(callerOfSubject(session.user)) : recognize(deps, session),
  });
  return { streams: createStreamAccess({ mode, tokens }, deps, sessions), sessions };
}
