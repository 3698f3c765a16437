/** The real MediaMTX asks us: who is let in to publish, read, play back and use its API, and who is cut off. */
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

describe("a MediaMTX that asks us each time", () => {
  it("lets in whom we let in, to publish, read, play back and to its API, and ends what is revoked", async () => {
    const scene = await streamAuthScene("http");
    const { app, api, rtspUrl, read, publish, hlsUrl, whepUrl, playbackUrl } = scene;
    const [annaId] = await Promise.all([scene.addViewer("anna", ["site-a/*"]), scene.addViewer("bert", ["site-b/*"])]);
    const [anna, bert] = [basic("anna", PASSWORD), basic("bert", PASSWORD)];
    const { user, password } = await setCredential(scene, CAM);

    // To publish.
    const camera = await publish(rtspUrl(CAM, `${user}:${password}`));
    expect(await outcomeOf(camera)).toBe("flows");
    const refused = [
      ...[publish(rtspUrl(CAM)), publish(rtspUrl(CAM, `${user}:wrong`)), publish(rtspUrl(CAM, `anna:${PASSWORD}`))],
      ...[publish(rtspUrl("site-a/other", `${user}:${password}`)), read(rtspUrl(CAM, `${user}:${password}`))],
      ...[read(rtspUrl(CAM)), read(rtspUrl(CAM, `anna:wrong`)), read(rtspUrl(CAM, `bert:${PASSWORD}`))],
    ];
    expect(await Promise.all(refused.map(async (child) => outcomeOf(await child)))).toEqual(
      refused.map(() => "refused"),
    );

    // To read, by RTSP, HLS and WebRTC, and to play back.
    const { id: tokenId, token } = await scene.tokenFor(await scene.login("anna", PASSWORD), ["site-a/*"]);
    const reader = await read(rtspUrl(CAM, `anna:${PASSWORD}`));
    const byToken = await read(rtspUrl(CAM, "", `?token=${token}`));
    expect(await Promise.all([reader, byToken].map(outcomeOf))).toEqual(["flows", "flows"]);
    await waitFor("HLS", async () => (await statusOf(hlsUrl(CAM), anna)) === 200, { timeoutMs: 20_000 });
    await waitFor("a recording", async () => (await statusOf(playbackUrl(CAM), anna)) === 200, { timeoutMs: 20_000 });
    const nobody = undefined;
    const tried = {
      hls: await Promise.all([
        ...[statusOf(hlsUrl(CAM), nobody), statusOf(hlsUrl(CAM), bert), statusOf(hlsUrl(CAM), basic("anna", "wrong"))],
        ...[statusOf(hlsUrl(CAM), `Bearer ${token}`), statusOf(hlsUrl(CAM, `?token=${token}`))],
      ]),
      whep: await Promise.all([
        ...[
          statusOf(whepUrl(CAM), nobody, offer),
          statusOf(whepUrl(CAM), bert, offer),
          statusOf(whepUrl(CAM), anna, offer),
        ],
        ...[statusOf(whepUrl(CAM, `?token=${token}`), nobody, offer)],
        ...[statusOf(whepUrl(CAM), nobody, { method: "OPTIONS" }), statusOf(whepUrl(CAM), anna, { method: "OPTIONS" })],
      ]),
      playback: await Promise.all([
        ...[statusOf(playbackUrl(CAM), nobody), statusOf(playbackUrl(CAM), bert), statusOf(playbackUrl(CAM), anna)],
        ...[statusOf(playbackUrl(CAM), `Bearer ${token}`)],
      ]),
      api: await Promise.all(
        [nobody, anna, basic("reelkeeper", "wrong"), basic("reelkeeper", await scene.apiPassword())].map((by) =>
          statusOf(`${app.mediamtxApiUrl}/v3/info`, by),
        ),
      ),
    };
    expect(tried).toEqual({
      hls: [401, 401, 401, 200, 200],
      whep: [401, 401, 201, 201, 401, 204],
      playback: [401, 401, 200, 200],
      api: [401, 401, 401, 200],
    });

    // What is revoked ends, and nothing else.
    const annasMedia = await hlsMediaUrl(hlsUrl(CAM), anna);
    expect(await statusOf(annasMedia)).toBe(200);
    await api("DELETE", `/api/v1/tokens/${tokenId}`);
    await cutOff(byToken);
    expect(reader.process.exitCode).toBeNull();
    expect(await statusOf(annasMedia)).toBe(200);
    expect(await statusOf(hlsUrl(CAM, `?token=${token}`))).toBe(401);
    await api("PATCH", `/api/v1/users/${annaId}`, { paths: ["site-c/*"] });
    await cutOff(reader);
    await waitFor("HLS to end", async () => (await statusOf(annasMedia)) === 401);
    expect(await statusOf(playbackUrl(CAM), anna)).toBe(401);
    await waitFor("WebRTC to end", async () => (await scene.sessions("webrtcsessions")).length === 0);
    expect(camera.process.exitCode).toBeNull();
    const rotated = await setCredential(scene, CAM);
    await cutOff(camera);
    const [before, now] = await Promise.all([
      publish(rtspUrl(CAM, `${user}:${password}`)),
      publish(rtspUrl(CAM, `${rotated.user}:${rotated.password}`)),
    ]);
    expect(await Promise.all([outcomeOf(before), outcomeOf(now)])).toEqual(["refused", "flows"]);

    const yaml = await api<{ yaml: string }>("GET", "/api/v1/config");
    const told = [app.output(), JSON.stringify(yaml)].join("\n");
    for (const secret of [PASSWORD, password, rotated.password, token, await scene.apiPassword()]) {
      expect(told).not.toContain(secret);
    }
    expect(told).not.toMatch(/mediamtx\/auth\/[\w-]{20}/);
  });

  it("lets nobody new in while we are away, goes on with who is in, and ends them when they are revoked later", async () => {
    const scene = await streamAuthScene("http");
    const { app, api, rtspUrl, read, publish } = scene;
    const annaId = await scene.addViewer("anna", ["site-a/*"]);
    const { user, password } = await setCredential(scene, CAM);
    const camera = await publish(rtspUrl(CAM, `${user}:${password}`));
    expect(await outcomeOf(camera)).toBe("flows");
    const reader = await read(rtspUrl(CAM, `anna:${PASSWORD}`));
    expect(await outcomeOf(reader)).toBe("flows");
    await app.kill();
    expect(await outcomeOf(await read(rtspUrl(CAM, `anna:${PASSWORD}`)))).toBe("refused");
    await app.start();
    expect([camera, reader].map((child) => child.process.exitCode)).toEqual([null, null]);
    expect(await outcomeOf(await read(rtspUrl(CAM, `anna:${PASSWORD}`)))).toBe("flows");
    await api("PATCH", `/api/v1/users/${annaId}`, { disabled: true });
    await cutOff(reader);
    expect(await outcomeOf(await read(rtspUrl(CAM, `anna:${PASSWORD}`)))).toBe("refused");
    expect(camera.process.exitCode).toBeNull();
  });
});
