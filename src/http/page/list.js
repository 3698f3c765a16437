/** Rows of the list. Whatever the API says is data: it becomes text (textContent, title), never markup. */
import { token } from "./requests.js";
import * as words from "./words.js";

const list = document.getElementById("rows");
/** Rows that are shown, by the recording's id: { json, element }. */
const rows = new Map();

/** Each kind has a shape of its own: nothing hangs on colour alone. */
const SHAPES = {
  live: "M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8",
  disk: "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3m0 1.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  moving: "M8 2l5 5.5H9.5V14h-3V7.5H3z",
  good: "M13.6 4.6l-7.1 7.9-4.1-3.9 1.2-1.3 2.8 2.6 5.9-6.5z",
  store: "M4.5 13a3.5 3.5 0 0 1-.4-7 4 4 0 0 1 7.7.9A3 3 0 0 1 11.5 13z",
  gap: "M1 7h5v2H1zm9 0h5v2h-5z",
  warn: "M8 1.5L15 14H1zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z",
  bad: "M3.6 2.4L8 6.8l4.4-4.4 1.2 1.2L9.2 8l4.4 4.4-1.2 1.2L8 9.2l-4.4 4.4-1.2-1.2L6.8 8 2.4 3.6z",
  gone: "M3 7.2h10v1.6H3z",
};

export const put = (node, text) => node.textContent === text || (node.textContent = text);

/** A shape and its words; nothing at all without words. */
export function mark(node, [kind, text]) {
  if (node.firstChild === null) node.append(document.getElementById("marked").content.cloneNode(true));
  node.hidden = text === "";
  node.dataset.kind = kind;
  node.querySelector("path").setAttribute("d", SHAPES[kind]);
  put(node.lastElementChild, text);
  return node;
}

function fill(element, recording) {
  const { path, startAt, tracks, bytes, durationSec, local } = recording;
  const cell = (name) => element.querySelector(`.${name}`);
  const time = element.querySelector("time");
  time.dateTime = startAt;
  time.title = words.bothClocks(startAt);
  put(time, words.clock(new Date(startAt)));
  put(cell("day"), words.day(new Date(startAt)));
  put(cell("path"), path);
  put(cell("length"), durationSec > 0 ? words.length(durationSec) : "");
  put(cell("media"), words.media(tracks));
  put(cell("size"), local === "open" ? "" : words.size(bytes));
  mark(cell("state"), words.stateOf(recording));
  cell("notes").replaceChildren(...words.notesOf(recording).map((note) => mark(document.createElement("p"), note)));
  for (const link of cell("file").children) fillLink(link, recording);
}

function fillLink(link, { id, path, startAt, local, archive, format }) {
  const isPlay = link.className === "play";
  const isThere = local === "present" || archive === "verified";
  // Browsers play no MPEG-TS; and a new tab cannot send the token, so that with one only the download is left.
  link.hidden = !isThere || (isPlay && (format !== "fmp4" || token() !== null));
  link.href = `/api/v1/recordings/${id}/file`;
  link.ariaLabel = `${isPlay ? "Play" : "Download"} ${path}, ${words.when(new Date(startAt))}`;
}

const topOf = (element) => element.getBoundingClientRect().top;

/**
 * Makes the list what the API says and answers how many rows are new. No row that stands right is moved, and what is
 * being read stays where it is.
 */
export function arrange(items) {
  const anchor = topOf(list) < 0 && [...list.children].find((row) => topOf(row) > 0);
  const anchoredAt = anchor && topOf(anchor);
  const known = rows.size;
  let next = list.firstElementChild;
  for (const recording of items) {
    const row = rows.get(recording.id) ?? {
      element: document.getElementById("row").content.children[0].cloneNode(true),
    };
    const json = JSON.stringify(recording);
    if (row.json !== json) fill(row.element, recording);
    rows.set(recording.id, Object.assign(row, { json }));
    if (row.element === next) next = next.nextElementSibling;
    else list.insertBefore(row.element, next);
  }
  const added = rows.size - known;
  const shown = new Set(items.map(({ id }) => id));
  for (const [id, { element }] of rows) {
    if (shown.has(id) || element.contains(document.activeElement)) continue;
    rows.delete(id);
    element.remove();
  }
  nameDays();
  if (anchor?.isConnected) scrollBy(0, topOf(anchor) - anchoredAt);
  return added;
}

/** The day stands above its first row; the others say it only to those who hear the list. */
function nameDays() {
  let day;
  for (const { firstElementChild: cell } of list.children) {
    cell.classList.toggle("unseen", cell.textContent === day);
    day = cell.textContent;
  }
}

export const shownPaths = () => [...list.querySelectorAll(".path")].map(({ textContent }) => textContent);

export function clear({ isBusy }) {
  rows.clear();
  list.replaceChildren();
  list.ariaBusy = String(isBusy);
}
