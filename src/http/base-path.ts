/**
 * Below a path of a host: some proxies take it off before they ask us, others leave it there, and both find the same
 * routes. What we answer names nothing by the root of the host, but what is documented to count from PUBLIC_URL.
 */
import type { ServerResponse } from "node:http";

import type { Request, RequestHandler } from "express";

/** `base` as `basePathOf` tells it. */
export function takeOff(base: string): RequestHandler {
  return (request, response, next) => {
    const rest = request.url.startsWith(base) ? request.url.slice(base.length) : request.url;
    if (rest === "" || rest.startsWith("?")) {
      response.writeHead(308, { Location: `${base}/${rest}` }).end();
      return;
    }
    if (rest.startsWith("/")) request.url = rest;
    next();
  };
}

/** A page names its files from its own address: one with a slash at its end is sent to the one without. */
export function sentOn({ path }: Pick<Request, "path">, response: ServerResponse): boolean {
  if (!path.endsWith("/")) return false;
  const [last = ""] = path.split("/").slice(-2);
  response.writeHead(308, { Location: `../${last}` }).end();
  return true;
}
