import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { pathSettingsSchema } from "../../../src/contract/path-settings.js";
import { isMaskedSetting, isSecretSetting, maskSetting, maskSource } from "../../../src/contract/secret-settings.js";

describe("a secret of a path", () => {
  it.each([
    ["publisher", "publisher"],
    ["rtsp://10.0.0.7/1", "rtsp://10.0.0.7/1"],
    ["rtsp://admin:secret@10.0.0.7:554/1", "rtsp://admin:***@10.0.0.7:554/1"],
    ["rtsp://admin:it's@10.0.0.7/1", "rtsp://admin:***@10.0.0.7/1"],
    ["rtsp+http://admin:a:b@c@[::1]/1", "rtsp+http://admin:***@[::1]/1"],
    ["rtsp://admin:554@10.0.0.7/x@y", "rtsp://admin:***@y"],
    ["http://h/v.cgi?user=a&pwd=b'c&x=1", "http://h/v.cgi?user=a&pwd=***&x=1"],
    ["srt://h:1?streamid=a&passphrase=0123456789", "srt://h:1?streamid=a&passphrase=***"],
    ["rtsp://h/user=admin_password=tlJw+b_o6_channel=1.sdp", "rtsp://h/user=admin_password=***_channel=1.sdp"],
    ["rtsp://h/user=admin&password=x/y", "rtsp://h/user=admin&password=***"],
  ])("that is a source, %s, is shown as %s", (source, shown) => {
    expect(maskSource(source)).toBe(shown);
    expect(maskSource(shown)).toBe(shown);
    expect(isMaskedSetting("source", shown)).toBe(source !== shown);
    expect(isMaskedSetting("source", source)).toBe(false);
    if (source !== shown) expect(isSecretSetting("source", source)).toBe(true);
  });

  it.each(["srtReadPassphrase", "srtPublishPassphrase", "whepBearerToken"])("shows nothing of %s", (setting) => {
    expect(maskSetting(setting, "0123456789")).toBe("***");
    expect(maskSetting(setting, "")).toBe("");
    expect(isSecretSetting(setting, "0123456789")).toBe(true);
    expect(isMaskedSetting(setting, "***")).toBe(true);
    expect(isMaskedSetting(setting, "0123456789")).toBe(false);
    // Otherwise what is shown could not be sent back.
    expect(pathSettingsSchema.safeParse({ [setting]: "***" }).success).toBe(true);
  });

  it("shows no password that the API takes", () => {
    const allowed = "a b X 0 9 _ . ~ ! $ & ' ( ) * + , ; = : @ -".split(" ");
    const password = fc
      .string({ unit: fc.constantFrom(...allowed), minLength: 1, maxLength: 40 })
      .map((text) => `S3CR${text}ET`);
    fc.assert(
      fc.property(password, fc.constantFrom("/", "/a/b?c=d", "", "?x=1"), (secret, end) => {
        const source = `rtsp://admin:${secret}@10.0.0.7${end}`;
        expect(pathSettingsSchema.safeParse({ source }).success).toBe(true);
        expect(maskSource(source)).toBe(`rtsp://admin:***@10.0.0.7${end}`);
      }),
    );
  });
});
