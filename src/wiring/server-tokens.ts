/** Wires tokens that MediaMTX checks to their keys in the data directory. */
import { createStreamTokens, type StreamTokens } from "../access/stream-tokens.js";
import { US_PER_SEC } from "../core/instant.js";
import { loadSigningKeys } from "./create-identity.js";
import type { Setup } from "./setup.js";

/** The clocks of the two machines of an external server may differ so much. */
const OWN_TOKEN_US = 300 * US_PER_SEC;

/** Null where MediaMTX takes none. */
export async function createServerTokens({ config }: Setup): Promise<StreamTokens | null> {
  if (config.mediamtx.auth !== "jwt") return null;
  return createStreamTokens(await loadSigningKeys(config, "stream-keys.json"));
}

/** For Reelkeeper's own calls, each of which takes a new one. */
export function serverBearer({ clock }: Setup, tokens: StreamTokens | null): (() => Promise<string>) | undefined {
  if (tokens === null) return undefined;
  const permissions = (["api", "metrics", "playback"] as const).map((action) => ({ action }));
  return () => {
    const nowUs = clock.nowUs();
    return tokens.sign({ kind: "reelkeeper" }, permissions, { nowUs, expiresAtUs: nowUs + OWN_TOKEN_US });
  };
}
