/** Every route there is. What is not in this list does not exist; who may call each stands in it. */
import type { HttpDeps } from "./http-deps.js";
import type { Route } from "./route.js";
import { clipRoutes } from "./routes/clip.js";
import { configRoutes } from "./routes/config.js";
import { exportRoutes } from "./routes/exports.js";
import { hookRoutes } from "./routes/hooks.js";
import { loginRoutes } from "./routes/login.js";
import { loginOidcRoutes } from "./routes/login-oidc.js";
import { mediaMtxAuthRoutes } from "./routes/mediamtx-auth.js";
import { mediaMtxPlaybackRoutes } from "./routes/mediamtx-playback.js";
import { operationRoutes } from "./routes/operation.js";
import { pageRoutes } from "./routes/pages.js";
import { pathConfigRoutes } from "./routes/path-config.js";
import { pathRoutes } from "./routes/paths.js";
import { playlistRoutes } from "./routes/playlist.js";
import { publishCredentialRoutes } from "./routes/publish-credentials.js";
import { recordingRoutes } from "./routes/recordings.js";
import { shareRoutes } from "./routes/shares.js";
import { signedUrlRoutes } from "./routes/signed-urls.js";
import { spriteRoutes } from "./routes/sprites.js";
import { streamTokenRoutes } from "./routes/stream-tokens.js";
import { thumbnailRoutes } from "./routes/thumbnails.js";
import { timelineRoutes } from "./routes/timeline.js";
import { userRoutes } from "./routes/users.js";

export function createRoutes(deps: HttpDeps, version: string): Route[] {
  const api = [
    ...recordingRoutes(deps),
    ...timelineRoutes(deps),
    ...playlistRoutes(deps),
    ...thumbnailRoutes(deps),
    ...spriteRoutes(deps),
    ...clipRoutes(deps),
    ...exportRoutes(deps),
    ...mediaMtxPlaybackRoutes(deps),
    ...shareRoutes(deps),
    ...pathRoutes(deps),
    ...pathConfigRoutes(deps),
    ...publishCredentialRoutes(deps),
    ...streamTokenRoutes(deps),
    ...configRoutes(deps),
    ...operationRoutes(deps),
    ...hookRoutes(deps),
    ...mediaMtxAuthRoutes(deps),
    ...loginRoutes(deps),
    ...loginOidcRoutes(deps),
    ...userRoutes(deps),
  ];
  const signing = signedUrlRoutes(deps, api);
  return [...api, ...signing, ...pageRoutes(deps, [...api, ...signing], version)];
}
