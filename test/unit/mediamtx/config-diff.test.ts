/** What people see of mediamtx.yml: everything but its secrets. */
import { describe, expect, it } from "vitest";

import { maskConfig } from "../../../src/mediamtx/config-diff.js";

const GIVEN = `# The house. Its pass is the word of the day; see rtsp://u:hidden-1@h/x
authInternalUsers:
  - user: any
    pass: hidden-2 # Not so secret: tells nothing
  - { user: anna, pass: 20261129, permissions: [{ action: read }] }
pathDefaults:
  srtReadPassphrase: 1234567890
  srtPublishPassphrase: ""
  whepBearerToken: true
  # srtPublishPassphrase: hidden-3 # of old
#whepBearerToken: "hidden-4"
paths:
  gate:
    source: rtsp://admin:hidden-5@10.0.0.7/1
    forward:
      - { dest: whip://10.0.0.8/x, whipBearerToken: hidden-6 }
      - { dest: rtmp://a:hidden-7@10.0.0.9/x }
    maxReaders: 3 # at most
`;

describe("the configuration as it is shown", () => {
  it("holds no secret, whether it reads as text or as a number, is used or commented out", () => {
    const shown = maskConfig(GIVEN);
    expect(shown).not.toMatch(/hidden|20261129|1234567890|whepBearerToken: true/);
    for (const kept of [
      "# The house.",
      "user: anna",
      'srtPublishPassphrase: ""',
      "maxReaders: 3 # at most",
      "10.0.0.7/1",
    ])
      expect(shown).toContain(kept);
  });

  it("is masked in a time that its length bounds", () => {
    // Each would take minutes if every part were looked at from every other one.
    for (const part of ["#", "# pass", "pass", "# pass ", "#pass:"]) {
      expect(maskConfig(`a: b\n# ${part.repeat(250_000 / part.length)}`)).toContain("a: b");
    }
  });
});
