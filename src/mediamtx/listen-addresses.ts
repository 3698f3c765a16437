/** Which addresses an embedded MediaMTX listens on; the ports stay those of the admin, else MediaMTX's defaults. */
import { AppError } from "../core/errors.js";
import { compareVersions } from "./version.js";

interface Listener {
  readonly setting: string;
  /** MediaMTX's own; null: does not listen unless configured. */
  readonly fallback: string | null;
}

const SERVICES: readonly Listener[] = [
  { setting: "metricsAddress", fallback: ":9998" },
  { setting: "playbackAddress", fallback: ":9996" },
  { setting: "pprofAddress", fallback: null },
];

const MEDIA: readonly Listener[] = [
  { setting: "rtspAddress", fallback: ":8554" },
  { setting: "rtspsAddress", fallback: ":8322" },
  { setting: "rtpAddress", fallback: ":8000" },
  { setting: "rtcpAddress", fallback: ":8001" },
  { setting: "srtpAddress", fallback: ":8004" },
  { setting: "srtcpAddress", fallback: ":8005" },
  { setting: "rtmpAddress", fallback: ":1935" },
  { setting: "rtmpsAddress", fallback: ":1936" },
  { setting: "hlsAddress", fallback: ":8888" },
  { setting: "webrtcAddress", fallback: ":8889" },
  { setting: "webrtcLocalUDPAddress", fallback: ":8189" },
  { setting: "webrtcLocalTCPAddress", fallback: null },
  { setting: "srtAddress", fallback: ":8890" },
  // Deprecated names win over the new ones.
  { setting: "webrtcICEUDPMuxAddress", fallback: null },
  { setting: "webrtcICETCPMuxAddress", fallback: null },
  { setting: "moqHTTPS2Address", fallback: null },
  { setting: "moqHTTPS3Address", fallback: null },
];

/** Media over QUIC, only when the admin turned it on. */
const MOQ: readonly (Listener & { readonly since: string })[] = [
  { setting: "moqHTTP2Address", fallback: ":8892", since: "1.19.0" },
  { setting: "moqHTTP3Address", fallback: ":8892", since: "1.19.0" },
  { setting: "moqQUICAddress", fallback: ":8893", since: "1.20.1" },
];

export interface ListenQuestion {
  readonly listen: "loopback" | "all";
  readonly version: string;
  readonly withMoq: boolean;
  /** The admin's value of a setting. */
  readonly configured: (setting: string) => unknown;
}

/** What to set: services on loopback always, media ports when `listen` says so. */
export function loopbackAddresses(question: ListenQuestion): ReadonlyMap<string, string> {
  const moq = question.withMoq ? MOQ.filter(({ since }) => compareVersions(question.version, since) >= 0) : [];
  const listeners = question.listen === "loopback" ? [...SERVICES, ...MEDIA, ...moq] : SERVICES;
  const addresses = new Map<string, string>();
  for (const { setting, fallback } of listeners) {
    const address = question.configured(setting) ?? fallback;
    if (address !== null && address !== "") addresses.set(setting, onLoopback(setting, address));
  }
  return addresses;
}

function onLoopback(setting: string, address: unknown): string {
  if (typeof address === "string") {
    if (address.startsWith("unix:") || /^(127(\.\d{1,3}){3}|\[::1\]|localhost):\d+$/.test(address)) return address;
    const port = /:(\d{1,5})$/.exec(address)?.[1];
    if (port !== undefined) return `127.0.0.1:${port}`;
  }
  throw new AppError({
    kind: "invalid-argument",
    message: `the base configuration of MediaMTX sets ${setting} to ${JSON.stringify(address)}, expected for example ":8554"`,
  });
}
