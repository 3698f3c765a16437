/** Where we listen, and who is believed, let in, or held back there. */
import { isIP } from "node:net";

import { refuse } from "./env.js";
import type { Reader } from "./reader.js";
import type { VariableName } from "./variables.js";

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Null: plain HTTP. Else HTTPS for the network on a port of its own, and plain HTTP for this machine alone. */
  readonly tls: { readonly port: number; readonly certFile: string; readonly keyFile: string } | null;
  /** Addresses, networks (CIDR), or loopback, linklocal, uniquelocal. */
  readonly trustProxy: readonly string[];
  readonly corsOrigins: readonly string[];
  /** Of one address; 0: any number. */
  readonly requestsPerSec: number;
}

export function readHttp(read: Reader): HttpConfig {
  return {
    host: read.matching("HOST", "127.0.0.1", /^[0-9a-zA-Z.:_-]+$/),
    port: read.integer("PORT", 8080, [0, 65_535]),
    tls: readTls(read),
    trustProxy: readList(read, "TRUST_PROXY", isProxy) ?? ["loopback"],
    corsOrigins: readList(read, "CORS_ORIGINS", isOrigin) ?? [],
    requestsPerSec: read.integer("RATE_LIMIT", 200, [0, 100_000]),
  };
}

/** What our own addresses begin with: below such a path nobody could tell whether a proxy has taken it off. */
export const OWN_PLACES: readonly string[] = [
  "api",
  "assets",
  "health",
  "hooks",
  "icon.svg",
  "mediamtx",
  "metrics",
  "playback",
  "ready",
  "share",
  ".well-known",
];

/** Origin and path, without a slash at the end. */
export function readPublicUrl(read: Reader): string | null {
  const url = read.url("PUBLIC_URL", null);
  if (url === null) return null;
  const { origin, pathname, search, hash } = new URL(url);
  const place = pathname.replace(/\/+$/, "");
  const isPlain = /^(\/[\w.~-]+)*$/.test(place) && search === "" && hash === "";
  if (!isPlain || OWN_PLACES.includes(place.split("/")[1] ?? "")) throw refuse("PUBLIC_URL", url);
  return `${origin}${place}`;
}

function readTls(read: Reader): HttpConfig["tls"] {
  const certFile = read.optionalDir("TLS_CERT_FILE");
  const keyFile = read.optionalDir("TLS_KEY_FILE");
  const port = read.integer("TLS_PORT", 8443, [0, 65_535]);
  if (certFile === null && keyFile === null) return null;
  if (certFile === null) throw refuse("TLS_CERT_FILE", "");
  if (keyFile === null) throw refuse("TLS_KEY_FILE", "");
  return { port, certFile, keyFile };
}

function readList(read: Reader, name: VariableName, isRight: (item: string) => boolean): readonly string[] | null {
  const text = read.text(name);
  if (text === undefined) return null;
  if (text === "none") return [];
  const items = text.split(",").map((item) => item.trim());
  const wrong = items.find((item) => !isRight(item));
  if (wrong !== undefined) throw refuse(name, text, `"${wrong}" is none`);
  return items;
}

function isProxy(item: string): boolean {
  if (["loopback", "linklocal", "uniquelocal"].includes(item)) return true;
  const [address = "", bits, ...rest] = item.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function isOrigin(item: string): boolean {
  return /^https?:\/\//.test(item) && URL.canParse(item) && new URL(item).origin === item;
}
