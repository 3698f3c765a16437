/** Where cameras publish to, by what mediamtx.yml says. */
import { parse } from "yaml";

const DEFAULTS = { rtsp: ":8554", rtmp: ":1935" } as const;

export interface PublishAddresses {
  readonly rtspPort: number;
  /** With the placeholder PATH; RTSP first. A protocol that is switched off is left out. */
  readonly urls: readonly string[];
}

/** `host`: by which name this machine is reached where the addresses name none. */
export function publishAddresses(renderedYaml: string, host: string): PublishAddresses {
  const settings = (parse(renderedYaml) ?? {}) as Record<string, unknown>;
  const listener = (protocol: keyof typeof DEFAULTS) => {
    const address = settings[`${protocol}Address`];
    const [, name = "", port = ""] =
      /^(.*):(\d+)$/.exec(typeof address === "string" ? address : DEFAULTS[protocol]) ?? [];
    const isOn = !isOff(settings[protocol]) && port !== "";
    return { port: Number(port), url: isOn ? [`${protocol}://${name === "" ? host : name}:${port}/PATH`] : [] };
  };
  const rtsp = listener("rtsp");
  return { rtspPort: rtsp.port, urls: [...rtsp.url, ...listener("rtmp").url] };
}

/** MediaMTX reads the booleans of YAML 1.1 too. */
function isOff(value: unknown): boolean {
  return value === false || (typeof value === "string" && /^(no|off|false)$/i.test(value));
}
