/**
 * Hosts to which no path may send MediaMTX (server-side request forgery): cloud machines give their keys to whoever asks at
 * a link-local address, and by HTTP this machine's own services would be asked. Cameras are in neither place; a stream of
 * this machine comes by RTSP, RTMP, SRT or UDP. Names are looked up by streams/check-sources.ts.
 */

/** Of Google, AWS, Alibaba, Oracle and Azure, beside 169.254.169.254. */
const METADATA = new Set([
  "metadata.google.internal",
  "metadata.goog",
  "[fd00:ec2::254]",
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
]);

/** `scheme` without colon; `host` as it stands in the URL, IPv6 in brackets. Undefined: it may. */
export function whyNotSourceHost(scheme: string, host: string): string | undefined {
  const canonical = canonicalHost(host);
  if (METADATA.has(canonical) || /^169\.254\.|^\[fe[89ab][0-9a-f]:/.test(canonical)) {
    return "expected a camera's address: link-local ones give cloud keys away";
  }
  const isHere = /^(127|0)\.|^\[::1?\]$|^(.+\.)?localhost$/.test(canonical);
  if (isHere && /^(https?|wheps?|whips?)$/.test(scheme)) {
    return "expected another machine: by HTTP this one's own services would be asked; take rtsp, rtmp, srt or udp";
  }
  return undefined;
}

const URL_PARTS = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/i;

/** Undefined for what is no URL with a host. */
export function hostOfUrl(text: string): { readonly scheme: string; readonly host: string } | undefined {
  const [, scheme = "", host = ""] = URL_PARTS.exec(text) ?? [];
  return host === "" ? undefined : { scheme: scheme.toLowerCase(), host: host.toLowerCase() };
}

/** Not a name, which somebody else may lead elsewhere. */
export function isAddress(host: string): boolean {
  return /^\[|^\d{1,3}(?:\.\d{1,3}){3}$/.test(canonicalHost(host));
}

/** 2130706433, 0x7f.1, [::ffff:7f00:1] and [64:ff9b::7f00:1] are 127.0.0.1, as the URL standard reads them. */
function canonicalHost(host: string): string {
  const text = `http://${host}/`;
  const { hostname } = URL.canParse(text) ? new URL(text) : { hostname: host.toLowerCase() };
  return hostname.startsWith("[") ? (embeddedIpv4(hostname) ?? hostname) : hostname.replace(/\.$/, "");
}

/** First groups of IPv6 addresses that stand for an IPv4 address, which comes right after them. */
const EMBEDDING: readonly (readonly number[])[] = [
  // IPv4-mapped and IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765).
  [0, 0, 0, 0, 0, 0xffff],
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0xffff, 0],
  // NAT64 (RFC 6052), 6to4 (RFC 3056).
  [0x64, 0xff9b, 0, 0, 0, 0],
  [0x2002],
];

/** `hostname` as the URL standard writes it, in brackets. */
function embeddedIpv4(hostname: string): string | undefined {
  // Nowhere and this machine are addresses of IPv6 itself.
  if (/^\[::1?\]$/.test(hostname)) return undefined;
  const [head = "", tail = ""] = hostname.slice(1, -1).split("::");
  const groupsOf = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const groups = [...first, ...Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0), ...last];
  const prefix = EMBEDDING.find((one) => one.every((group, at) => groups[at] === group));
  if (prefix === undefined) return undefined;
  return groups
    .slice(prefix.length, prefix.length + 2)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}
