/** The real MediaMTX checks our tokens: who is let in to publish, read, play back and use its API, and who is cut off. */
import { describe, expect, it } from "vitest";

import {
  basic,
  CAM,
  cutOff,
  hlsMediaUrl,
  offer,
  outcomeOf,
  PASSWORD,
  setCredential,
  statusOf,
  streamAuthScene,
} from "../../support/stream-auth.js";
import { waitFor } from "../../support/wait-for.js";

describe("a MediaMTX that checks our tokens", () => {
  it("lets in who has one, for what it says, and ends what is revoked", async () => {
    const scene = await streamAuthScene("jwt");
    const { app, api, rtspUrl, read, publish, hlsUrl, whepUrl, playbackUrl } = scene;
    const annaId = await scene.addViewer("anna", ["site-a/*"]);
    // In the URL's query: FFmpeg takes no longer password than 127 characters.
    const publishBy = (token: string, path = CAM) => publish(rtspUrl(path, "", `?token=${token}`));
    const { password } = await setCredential(scene, CAM);
    const camera = await publishBy(password);
    expect(await outcomeOf(camera)).toBe("flows");
    const access = await scene.login("anna", PASSWORD);
    // Good for a minute each, which a busy machine needs for less than all of this.
    const newLive = () => scene.streamToken(access, CAM, "read");
    const newBack = () => scene.streamToken(access, CAM, "playback");
    let live = await newLive();
    const lives = [live];
    const reader = await read(rtspUrl(CAM, "", `?token=${live}`));
    expect(await outcomeOf(reader)).toBe("flows");
    const refused = [
      ...[publish(rtspUrl(CAM)), publishBy(password, "site-a/other")],
      ...[publishBy(live), read(rtspUrl(CAM, `anna:${PASSWORD}`))],
      ...[read(rtspUrl("site-a/other", "", `?token=${live}`)), read(rtspUrl(CAM, "", `?token=${access}`))],
    ];
    expect(await Promise.all(refused.map(async (child) => outcomeOf(await child)))).toEqual(
      refused.map(() => "refused"),
    );
    await waitFor("HLS", async () => (await statusOf(hlsUrl(CAM), `Bearer ${await newLive()}`)) === 200, {
      ...{ timeoutMs: 20_000, intervalMs: 250 },
    });
    await waitFor("a recording", async () => (await statusOf(playbackUrl(CAM), `Bearer ${await newBack()}`)) === 200, {
      ...{ timeoutMs: 20_000, intervalMs: 250 },
    });
    const back = await newBack();
    lives.push((live = await newLive()));
    const own = basic("reelkeeper", await scene.apiPassword());
    expect(
      await Promise.all([
        ...[statusOf(hlsUrl(CAM)), statusOf(hlsUrl(CAM), `Bearer ${back}`), statusOf(hlsUrl(CAM, `?token=${live}`))],
        ...[statusOf(whepUrl(CAM), undefined, offer), statusOf(whepUrl(CAM), `Bearer ${live}`, offer)],
        ...[statusOf(playbackUrl(CAM), `Bearer ${live}`), statusOf(playbackUrl(CAM), `Bearer ${back}`)],
        ...[statusOf(`${app.mediamtxApiUrl}/v3/info`), statusOf(`${app.mediamtxApiUrl}/v3/info`, own)],
        ...[statusOf(`${app.mediamtxApiUrl}/v3/info`, `Bearer ${live}`)],
      ]),
    ).toEqual([401, 401, 401, 401, 201, 401, 200, 401, 401, 401]);
    // Reelkeeper itself gets in: it sees the camera.
    const { state } = await waitFor("the camera to be seen", async () => {
      const { others } = await api<{ others: { name: string; state: { online: boolean } }[] }>("GET", "/api/v1/paths");
      return others.find(({ name, state: { online } }) => name === CAM && online);
    });
    expect(state.online).toBe(true);

    lives.push((live = await newLive()));
    const media = await hlsMediaUrl(hlsUrl(CAM), `Bearer ${live}`);
    expect(await statusOf(media)).toBe(200);
    await api("PATCH", `/api/v1/users/${annaId}`, { disabled: true });
    await cutOff(reader);
    await waitFor("HLS to end", async () => (await statusOf(media)) === 401);
    expect(camera.process.exitCode).toBeNull();
    // The token is good for the rest of its minute; whoever begins by it again is ended again.
    const again = await read(rtspUrl(CAM, "", `?token=${live}`));
    await cutOff(again);
    await api("DELETE", `/api/v1/publish-credentials?path=${CAM}`);
    await cutOff(camera);
    const { password: rotated } = await setCredential(scene, CAM);
    const [before, now] = await Promise.all([publishBy(password), publishBy(rotated)]);
    await cutOff(before);
    await waitFor("the new password to be taken", async () => {
      if (now.process.exitCode === null) return /frame=\s*[1-9]/.test(now.output());
      return (await outcomeOf(await publishBy(rotated))) === "flows";
    });
    for (const secret of [password, rotated, ...lives]) expect(app.output()).not.toContain(secret);
  });
});
