/** What stands before every route: headers, who may read us from other pages, and how often anybody may ask. */
import cors from "cors";
import type { Express, RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";

import { isLoopbackName } from "../access/caller.js";
import { basePathOf } from "../core/base-path.js";
import { AppError } from "../core/errors.js";

export interface Hardening {
  /** Addresses and networks of proxies that are believed when they say whom they speak for. */
  readonly trustProxy: readonly string[];
  /** Of pages elsewhere that may read the API, with a token of their own: cookies never come along. */
  readonly corsOrigins: readonly string[];
  /** Of one address, a second, on average over ten; 0: any number. */
  readonly requestsPerSec: number;
  /** Null: the address that a request names. */
  readonly publicUrl: string | null;
}

const RATE_WINDOW_MS = 10_000;
const PREFLIGHT_SEC = 600;
const HSTS_SEC = 180 * 86_400;
const READABLE = ["Content-Range", "Content-Length", "Content-Disposition", "ETag", "Retry-After", "Reelkeeper-Start"];

export function harden(app: Express, hardening: Hardening): void {
  app.set("trust proxy", hardening.trustProxy);
  app.use(securityHeaders(hardening));
  if (hardening.corsOrigins.length > 0) app.use(allowOrigins(hardening.corsOrigins));
  if (hardening.requestsPerSec > 0) app.use(limitRate(hardening.requestsPerSec));
}

/** Pages loosen the content policy for themselves. */
function securityHeaders({ publicUrl }: Hardening): RequestHandler {
  const headers = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { "default-src": ["'none'"], "frame-ancestors": ["'none'"] },
    },
    frameguard: { action: "deny" },
    // Of a host that is ours alone: what our neighbours speak, there or on hosts below it, is not ours to say.
    strictTransportSecurity:
      publicUrl?.startsWith("https:") === true && basePathOf(publicUrl) === ""
        ? { maxAge: HSTS_SEC, includeSubDomains: false }
        : false,
  });
  return (request, response, next) => {
    response.setHeader("Cache-Control", "no-store");
    headers(request, response, next);
  };
}

function allowOrigins(origins: readonly string[]): RequestHandler {
  return cors({
    origin: [...origins],
    methods: ["GET", "HEAD", "POST", "PATCH", "DELETE"],
    allowedHeaders: ["Authorization", "Content-Type", "Range", "If-None-Match"],
    exposedHeaders: READABLE,
    credentials: false,
    maxAge: PREFLIGHT_SEC,
  });
}

/** This machine is left alone: hooks of a hundred cameras come from here. */
function limitRate(requestsPerSec: number): RequestHandler {
  return rateLimit({
    windowMs: RATE_WINDOW_MS,
    limit: requestsPerSec * (RATE_WINDOW_MS / 1_000),
    standardHeaders: false,
    legacyHeaders: false,
    // Who names others behind a proxy that nobody trusts is counted by the proxy's address, which is what is meant.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    skip: ({ ip = "" }) => isLoopbackName(ip.replace("::ffff:", "")),
    handler: (_request, _response, next) => {
      next(
        new AppError({
          kind: "rate-limited",
          message: `more than ${String(requestsPerSec)} requests a second came from one address`,
          hint: "ask less often, or raise RATE_LIMIT",
          retryAfterMs: RATE_WINDOW_MS,
        }),
      );
    },
  });
}
