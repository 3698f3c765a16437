/**
 * Hosts to which no path may send MediaMTX (server-side request forgery): cloud machines give their keys to whoever asks at
 * a link-local address, and by HTTP this machine's own services would be asked. Cameras are in neither place; a stream of
 * this machine comes by RTSP, RTMP, SRT or UDP. A name is not looked up here, for MediaMTX asks again later.
 */

const METADATA = new Set(["metadata.google.internal", "[fd00:ec2::254]"]);

/** `scheme` without colon; `host` as it stands in the URL, IPv6 in brackets. Undefined: it may. */
export function whyNotSourceHost(scheme: string, host: string): string | undefined {
  const canonical = canonicalHost(host);
  if (METADATA.has(canonical) || /^169\.254\.|^\[fe[89ab][0-9a-f]:/.test(canonical)) {
    return "expected a camera's address: link-local ones give cloud keys away";
  }
  const isHere = /^(127|0)\.|^\[::1?\]$|^(.+\.)?localhost\.?$/.test(canonical);
  if (isHere && /^(https?|wheps?)$/.test(scheme)) {
    return "expected another machine: by HTTP this one's own services would be asked; take rtsp, rtmp, srt or udp";
  }
  return undefined;
}

/** 2130706433, 0x7f.1 and [::ffff:7f00:1] are 127.0.0.1, as the URL standard reads them. */
function canonicalHost(host: string): string {
  const text = `http://${host}/`;
  const { hostname } = URL.canParse(text) ? new URL(text) : { hostname: host.toLowerCase() };
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (mapped === null) return hostname;
  const bytes = mapped.slice(1).flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff]);
  return bytes.join(".");
}
