import { describe, expect, it } from "vitest";

import { publishAddresses } from "../../../src/mediamtx/publish-addresses.js";

describe("publish addresses", () => {
  it("are MediaMTX's defaults where nothing is said", () => {
    expect(publishAddresses("{}", "127.0.0.1")).toEqual({
      rtspPort: 8554,
      urls: ["rtsp://127.0.0.1:8554/PATH", "rtmp://127.0.0.1:1935/PATH"],
    });
  });

  it("name the host that an address names, else the one that is given", () => {
    const yaml = 'rtspAddress: "127.0.0.1:18554"\nrtmpAddress: ":11935"\n';
    expect(publishAddresses(yaml, "nvr").urls).toEqual(["rtsp://127.0.0.1:18554/PATH", "rtmp://nvr:11935/PATH"]);
  });

  it.each(["false", "no", "off", '"no"'])("leave out a protocol that is switched off by %s", (value) => {
    expect(publishAddresses(`rtmp: ${value}\n`, "nvr").urls).toEqual(["rtsp://nvr:8554/PATH"]);
  });
});
