import { urlSecretOf } from "../access/caller.js";
import { PERMISSIONS_CLAIM } from "../access/stream-tokens.js";
import type { ServerAuth } from "../mediamtx/auth-settings.js";
import type { MediaMtxOptions } from "../mediamtx/media-mtx.js";
import type { Setup } from "./setup.js";
import { localUrlOf } from "./start-listening.js";

export function mediaMtxOptions(setup: Setup): MediaMtxOptions {
  const { config, secrets, env, projectDir } = setup;
  return {
    ...config.mediamtx,
    cacheDir: config.cacheDir,
    apiPassword: secrets.mediamtxApiPassword,
    hookSecret: secrets.hookSecret,
    auth: serverAuth(setup),
    projectDir,
    env: env.all,
  };
}

function serverAuth({ config, secrets }: Pick<Setup, "config" | "secrets">): ServerAuth {
  const { auth, authUrl } = config.mediamtx;
  if (auth === "off") return { kind: "off" };
  const base = authUrl ?? localUrlOf(config.http, config.http.port);
  if (auth === "jwt") return { kind: "jwt", url: `${base}/.well-known/jwks.json`, claim: PERMISSIONS_CLAIM };
  return { kind: "http", url: `${base}/mediamtx/auth/${urlSecretOf(secrets.hookSecret)}` };
}
