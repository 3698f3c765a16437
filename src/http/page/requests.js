/** Requests to the API, with the token that this tab keeps, if the server wants one. */
import { failure } from "./words.js";

export const token = () => sessionStorage.getItem("token");
export const keepToken = (text) => sessionStorage.setItem("token", text);
export const forgetToken = () => sessionStorage.removeItem("token");

/** Throws an Error with words for people and, when the server answered, its `status`. */
export async function get(url, signal) {
  const headers = token() === null ? {} : { Authorization: `Bearer ${token()}` };
  const response = await fetch(url, { headers, signal }).catch(() => undefined);
  if (response?.ok) return response;
  const problem = (await response?.json().catch(() => undefined)) ?? {};
  throw Object.assign(new Error(failure(problem, response?.status)), { status: response?.status });
}

/** A link cannot send the token; this fetches the file and hands it to the browser as a download. */
export async function download(url, signal, onPercent) {
  const response = await get(url, signal);
  const total = Number(response.headers.get("Content-Length"));
  let got = 0;
  const counter = new TransformStream({
    transform: (chunk, out) => {
      got += chunk.length;
      onPercent(Math.floor((100 * got) / total));
      out.enqueue(chunk);
    },
  });
  const href = URL.createObjectURL(await new Response(response.body.pipeThrough(counter)).blob());
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"))?.[1] ?? "recording";
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
