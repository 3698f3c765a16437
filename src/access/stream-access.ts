/** Where MediaMTX asks us: who is let in is noted, so that what they began can be ended. */
import type { StreamRequest } from "../contract/mediamtx-auth.js";
import { admit, type StreamCallerDeps } from "./stream-caller.js";
import type { StreamSessions } from "./stream-sessions.js";
import type { StreamTokens } from "./stream-tokens.js";

/** `off`: MediaMTX's own users · `http`: it asks us each time · `jwt`: it knows our keys. */
type StreamAuthMode = "off" | "http" | "jwt";

export interface StreamAccess {
  readonly mode: StreamAuthMode;
  /** Null unless MediaMTX checks them. */
  readonly tokens: StreamTokens | null;
  /** False also when it cannot be told. */
  admit(request: StreamRequest): Promise<boolean>;
  /** Who may do what has changed: sessions that depended on it end. Returns at once. */
  changed(): void;
}

export function createStreamAccess(
  { mode, tokens }: Pick<StreamAccess, "mode" | "tokens">,
  deps: StreamCallerDeps,
  sessions: Pick<StreamSessions, "note" | "changed">,
): StreamAccess {
  return {
    mode,
    tokens,
    admit: async (request) => {
      if (mode !== "http") return false;
      const caller = await admit(deps, request);
      if (caller === undefined) return false;
      const { id, action } = request;
      if (typeof id === "string" && (action === "publish" || action === "read")) sessions.note(id, caller);
      return true;
    },
    changed: () => {
      if (mode !== "off") sessions.changed();
    },
  };
}
