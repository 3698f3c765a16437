/** What the link of this page is good for now. Its URLs end soon, so they are asked for anew when they are needed. */
import type { z } from "zod";

import type { shareLinksSchema } from "../../contract/shares.js";

export type Links = z.infer<typeof shareLinksSchema>;

/** Undefined: the link is over, was revoked, or never was one. Throws when nobody can tell. */
export async function fetchLinks(): Promise<Links | undefined> {
  const response = await fetch(`${location.pathname.replace(/\/$/, "")}/links`);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the server answers ${String(response.status)}`);
  const links = (await response.json()) as Links;
  const { playlist, clip, picture } = links;
  return { ...links, playlist: placed(playlist), clip: placed(clip), picture: placed(picture) };
}

/** They count from Reelkeeper's own place, which may be a path of its host; this page is at share/TOKEN there. */
function placed(url: string): string {
  return new URL(url.slice(1), new URL("..", location.href)).href;
}
