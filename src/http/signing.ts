/** How long signed URLs are good for. */
import type { SignedFor, UrlSigner } from "../access/signed-url.js";
import type { Catalog } from "../catalog/catalog.js";
import { US_PER_SEC } from "../core/instant.js";

/** Enough to begin a download; one that has begun goes on. */
const SHORT_US = 300 * US_PER_SEC;
/** A player asks for what a playlist names until it ends. */
const PLAYLIST_US = 3_600 * US_PER_SEC;

export interface SigningDeps {
  readonly signer: UrlSigner;
  readonly catalog: Pick<Catalog, "clock">;
}

export interface SignedBy extends Pick<SignedFor, "kind" | "id"> {
  /** Not longer than its maker is good for. */
  readonly notAfterUs?: number;
}

export interface SignedUrl {
  readonly url: string;
  readonly expiresAtUs: number;
}

export function signShort(deps: SigningDeps, url: string, by: SignedBy): SignedUrl {
  return signed(deps, { url, by, forUs: SHORT_US });
}

export function signPlaylist(deps: SigningDeps, url: string, by: SignedBy): SignedUrl {
  return signed(deps, { url, by, forUs: PLAYLIST_US });
}

function signed(
  { signer, catalog }: SigningDeps,
  { url, by, forUs }: { readonly url: string; readonly by: SignedBy; readonly forUs: number },
): SignedUrl {
  const { kind, id, notAfterUs = Number.MAX_SAFE_INTEGER } = by;
  const until = Math.min(catalog.clock.nowUs() + forUs, notAfterUs);
  const expiresAtUs = Math.floor(until / US_PER_SEC) * US_PER_SEC;
  return { url: signer.sign(url, { kind, id, expiresAtUs }), expiresAtUs };
}
