/** The page of a share link: plays its range, and offers it as a clip. */
import { playInto } from "./play-into.js";
import { fetchLinks, type Links } from "./links.js";
import "./share.css";

const strings = {
  untitled: "Shared recording",
  over: "This link is not, or not any more, good for anything.",
  failed: (why: string) => `This cannot be shown now: ${why}`,
  when: (from: string, to: string) => `${from} to ${to}`,
  until: (when: string) => `This link ends ${when}.`,
};

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id}`);
  return found;
}

function say(text: string, isFailure = false): void {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("failed", isFailure);
}

function describe({ label, from, to, expiresAt }: Links): void {
  const title = label === "" ? strings.untitled : label;
  document.title = title;
  element("label").textContent = title;
  element("when").textContent = strings.when(day.format(new Date(from)), day.format(new Date(to)));
  element("until").textContent = strings.until(day.format(new Date(expiresAt)));
}

/** Throws once the link is good for nothing any more. */
async function freshLinks(): Promise<Links> {
  const links = await fetchLinks();
  if (links !== undefined) return links;
  element("clip").hidden = true;
  throw new Error(strings.over);
}

function offerClip(): void {
  const link = element("clip") as HTMLAnchorElement;
  link.hidden = false;
  link.href = "#";
  link.addEventListener("click", (event) => {
    event.preventDefault();
    freshLinks().then(
      ({ clip }) => Object.assign(document.createElement("a"), { href: clip, download: "" }).click(),
      (error: unknown) => fail(error),
    );
  });
}

function fail(error: unknown): void {
  const why = error instanceof Error ? error.message : "";
  say(why === strings.over ? why : strings.failed(why), true);
}

async function show(): Promise<void> {
  const links = await freshLinks();
  describe(links);
  const video = element("video") as HTMLVideoElement;
  video.poster = links.picture;
  offerClip();
  const playlist = async (): Promise<string> => (await freshLinks()).playlist;
  await playInto(video, { playlist, onFailure: fail });
  say("");
}

show().catch(fail);
