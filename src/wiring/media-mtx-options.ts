import type { MediaMtxOptions } from "../mediamtx/media-mtx.js";
import type { Setup } from "./setup.js";

export function mediaMtxOptions({ config, secrets, env, projectDir }: Setup): MediaMtxOptions {
  return {
    ...config.mediamtx,
    cacheDir: config.cacheDir,
    apiPassword: secrets.mediamtxApiPassword,
    hookSecret: secrets.hookSecret,
    projectDir,
    env: env.all,
  };
}
