/** Who may publish and watch, for the older MediaMTX and for one that we do not start: let in, refused and cut off. */
import { expect, it } from "vitest";

import {
  basic,
  CAM,
  cutOff,
  outcomeOf,
  PASSWORD,
  setCredential,
  statusOf,
  streamAuthScene,
} from "../../support/stream-auth.js";
import { waitFor } from "../../support/wait-for.js";

const KINDS = [
  ["http", { version: "1.21.0", isExternal: true }],
  ["jwt", { version: "1.21.0", isExternal: true }],
  ["http", { version: "1.19.3" }],
  ["jwt", { version: "1.19.3", isExternal: true }],
] as const;

it.each(KINDS)("by %s, %j", async (mode, options) => {
  const scene = await streamAuthScene(mode, options);
  const { app, api, rtspUrl, read, publish } = scene;
  const annaId = await scene.addViewer("anna", ["site-a/*"]);
  await scene.addViewer("bert", ["site-b/*"]);
  const { user, password } = await setCredential(scene, CAM);
  const access = await scene.login("anna", PASSWORD);
  const isHttp = mode === "http";
  /** FFmpeg takes no longer password than 127 characters. */
  const publishUrl = (name: string) =>
    isHttp ? rtspUrl(name, `${user}:${password}`) : rtspUrl(name, "", `?token=${password}`);
  const readUrl = async (name: string) =>
    isHttp
      ? rtspUrl(name, `anna:${PASSWORD}`)
      : rtspUrl(name, "", `?token=${await scene.streamToken(access, CAM, "read")}`);

  const camera = await publish(publishUrl(CAM));
  expect(await outcomeOf(camera)).toBe("flows");
  const reader = await read(await readUrl(CAM));
  expect(await outcomeOf(reader)).toBe("flows");
  const refused = [
    ...[publish(rtspUrl(CAM)), publish(publishUrl("site-a/other")), publish(await readUrl(CAM))],
    ...[read(rtspUrl(CAM)), read(rtspUrl(CAM, `bert:${PASSWORD}`)), read(await readUrl("site-b/cam"))],
  ];
  expect(await Promise.all(refused.map(async (child) => outcomeOf(await child)))).toEqual(refused.map(() => "refused"));

  // The Control API is for us alone, and we get in: we see the camera.
  const info = `${app.mediamtxApiUrl}/v3/info`;
  expect(await Promise.all([statusOf(info), statusOf(info, basic("anna", PASSWORD))])).toEqual([401, 401]);
  await waitFor("the camera to be seen", async () => {
    const { others } = await api<{ others: { name: string; state: { online: boolean } }[] }>("GET", "/api/v1/paths");
    return others.some(({ name, state: { online } }) => name === CAM && online);
  });

  await api("PATCH", `/api/v1/users/${annaId}`, { disabled: true });
  await cutOff(reader);
  expect(camera.process.exitCode).toBeNull();
  await api("DELETE", `/api/v1/publish-credentials?path=${CAM}`);
  await cutOff(camera);
});
