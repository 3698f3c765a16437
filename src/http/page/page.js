/** The live list: asks every two seconds while it is seen, and shows what came, or since when nothing came. */
import { arrange, clear, mark, put, shownPaths } from "./list.js";
import { download, forgetToken, get, keepToken, token } from "./requests.js";
import { backlog, count, firstSteps, health, when, zone } from "./words.js";

const [PAGE_ROWS, MOST_ROWS] = [50, 2_000];
const [POLL_MS, TIMEOUT_MS, TELL_EVERY_MS] = [2_000, 10_000, 30_000];
const $ = (id) => document.getElementById(id);
const chosenPath = () => new URLSearchParams(location.search).get("path") ?? "";
/** How many rows are asked for, when they came, how often they did not, how many were not told of yet. */
const nothingYet = { wanted: PAGE_ROWS, answeredAt: null, failures: 0, untold: 0, toldAtMs: 0 };
let live = { ...nothingYet };
let run = new AbortController();
let timer;

async function refresh() {
  clearTimeout(timer);
  run.abort();
  const { signal } = (run = new AbortController());
  try {
    await ask(AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 401) return askForToken(token() === null ? undefined : "The server refuses this token.");
    showFailure(error);
  }
  const slower = Math.max(1, live.wanted / 200) * Math.min(5, 1 + live.failures);
  if (!document.hidden && !signal.aborted) timer = setTimeout(refresh, POLL_MS * slower);
}

async function ask(signal) {
  const json = async (url) => (await get(`/api/v1/${url}`, signal)).json();
  const path = chosenPath() === "" ? "" : `&path=${encodeURIComponent(chosenPath())}`;
  const isFirst = live.answeredAt === null;
  // The list is what counts. What stands around it may be missing, and nothing waits for the names of all paths.
  if (isFirst)
    json("paths")
      .then(({ items }) => offerPaths(items.map(({ name }) => name)))
      .catch(() => undefined);
  const around = Promise.allSettled([json("archive"), json("health/details")]);
  const { items, nextCursor } = await json(`recordings?limit=${live.wanted}${path}`);
  showAround(await around);
  signal.throwIfAborted();
  const added = arrange(items);
  offerPaths(shownPaths());
  mark($("stale"), ["warn", ""]);
  $("older").hidden = nextCursor === null || live.wanted >= MOST_ROWS;
  show(items.length > 0 ? "list" : path === "" ? "empty" : "none");
  Object.assign(live, { answeredAt: new Date(), failures: 0, untold: isFirst ? 0 : live.untold + added });
  if (live.untold > 0 && Date.now() - live.toldAtMs > TELL_EVERY_MS) tell(count(live.untold, "new recording"));
}

function show(name) {
  for (const view of document.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== name;
  $("filter").hidden = name !== "list" && name !== "none";
  $("rows").ariaBusy = "false";
}

function showAround([archived, checked]) {
  if (archived.status === "fulfilled") mark($("backlog"), backlog(archived.value.backlog));
  if (checked.status === "rejected") return;
  mark($("health"), health(checked.value.checks));
  const { url, ffmpeg } = firstSteps(checked.value.publishUrls);
  put($("publish"), url);
  put($("ffmpeg"), ffmpeg);
}

function showFailure({ message }) {
  live.failures += 1;
  put($("why"), message);
  if (live.answeredAt === null) return show("failed");
  mark($("stale"), ["warn", `This is how it was at ${when(live.answeredAt)}, no answer since. ${message}`]);
}

function offerPaths(names) {
  const known = [...$("path").options].map(({ value }) => value);
  const all = [...new Set([...known, ...names, chosenPath()])].sort();
  if (all.length > known.length) $("path").replaceChildren(...all.map((name) => new Option(name || "All paths", name)));
  $("path").value = chosenPath();
}

/** To those who hear the page. */
function tell(text) {
  put($("said"), text);
  Object.assign(live, { untold: 0, toldAtMs: Date.now() });
}

function restart() {
  live = { ...nothingYet };
  clear({ isBusy: true });
  $("forget").hidden = token() === null;
  refresh();
}

function askForToken(why = "It is the value of ADMIN_TOKEN. This tab forgets it when it is closed.") {
  clearTimeout(timer);
  run.abort();
  forgetToken();
  clear({ isBusy: false });
  for (const id of ["backlog", "health", "stale"]) mark($(id), ["good", ""]);
  $("forget").hidden = true;
  put($("refused"), why);
  show("token");
  $("token").focus();
}

/** Shows how far it is; a second click stops it. */
async function save(link) {
  if (link.stop !== undefined) return link.stop.abort();
  const { ariaLabel } = link;
  link.stop = new AbortController();
  const onPercent = (percent) => put(link, (link.ariaLabel = `Stop, ${percent} %`));
  await download(link.href, link.stop.signal, onPercent).catch(({ message }) => {
    if (!link.stop.signal.aborted) tell((link.title = `The download failed. ${message}`));
  });
  Object.assign(link, { ariaLabel, textContent: "Download", stop: undefined });
}

async function copy(button) {
  const code = button.previousElementSibling;
  getSelection().selectAllChildren(code);
  // The clipboard is there on loopback and https only; elsewhere the old command does.
  await (navigator.clipboard?.writeText(code.textContent) ?? document.execCommand("copy"));
  put(button, "Copied");
  tell("Copied");
  setTimeout(() => put(button, "Copy"), 2_000);
}

put($("zone"), `Newest first, times in ${zone()}`);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if ($("token").form.hidden) refresh();
});
window.addEventListener("popstate", restart);
$("path").addEventListener("change", () => {
  history.pushState(null, "", $("path").value === "" ? "/" : `/?path=${encodeURIComponent($("path").value)}`);
  restart();
});
$("older").addEventListener("click", async () => {
  live.wanted = Math.min(MOST_ROWS, live.wanted + 2 * PAGE_ROWS);
  live.toldAtMs = Date.now();
  await refresh();
  tell(`${count($("rows").children.length, "recording")} shown`);
});
$("again").addEventListener("click", refresh);
$("forget").addEventListener("click", () => askForToken());
$("token").form.addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value);
  $("token").value = "";
  restart();
});
document.querySelector("main").addEventListener("click", (event) => {
  if (event.target.matches(".line button") && !event.target.form) copy(event.target);
  if (!event.target.matches(".save") || token() === null) return;
  event.preventDefault();
  save(event.target);
});
restart();
