import { expect, it } from "vitest";

import { childEnvironment } from "../../../src/mediamtx/child-environment.js";

it("leaves out what beats the configuration and names it, leaves out our secrets, keeps the rest", () => {
  const inherited = {
    PATH: "/bin",
    MTX_API: "yes",
    RTSP_PROTOCOLS: "tcp",
    MTX_PATHS_CAM1_RECORD: "no",
    MY_MTX_NAME: "kept",
    HOOK_SECRET: "0123456789abcdef",
    R2_SECRET_ACCESS_KEY: "k",
    DATABASE_URL: "postgres://u:p@h/d",
    UNSET: undefined,
  };
  expect(childEnvironment(inherited, { REELKEEPER_URL: "http://127.0.0.1:8080" })).toEqual({
    env: { PATH: "/bin", MY_MTX_NAME: "kept", REELKEEPER_URL: "http://127.0.0.1:8080" },
    dropped: ["MTX_API", "MTX_PATHS_CAM1_RECORD", "RTSP_PROTOCOLS"],
  });
});
