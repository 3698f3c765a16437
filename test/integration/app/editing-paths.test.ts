/** Editing paths by the API while cameras publish and are recorded. */
import { describe, expect, it } from "vitest";

import { waitFor } from "../../support/wait-for.js";
import { configured, folderScene } from "./scene.js";

describe("editing a path while two cameras are recorded", () => {
  it.each(["1.21.0", "1.19.3"] as const)(
    "disconnects nobody and leaves the other's footage whole on %s",
    async (version) => {
      const { app, addPath, startCamera } = await folderScene({ version });
      await addPath("cam1", { recordSegmentDuration: "1s" });
      await addPath("site/cam2", { recordSegmentDuration: "1s" });
      const cameras = await Promise.all([startCamera("cam1"), startCamera("site/cam2")]);
      const created = async (name: string): Promise<number> =>
        (await app.createdFiles()).filter((file) => file.includes(`/${name}/`)).length;
      const record = (name: string) => {
        let before: number | undefined;
        return waitFor(`a new file of ${name}`, async () => {
          before ??= await created(name);
          return (await created(name)) > before;
        });
      };
      await record("cam1");
      await app.patch("/api/v1/paths/cam1", { recordSegmentDuration: "2s", recordPartDuration: "500ms" });
      await configured(app, "cam1");
      // The second one ends the first of the new length.
      await record("cam1");
      await record("cam1");
      await addPath("cam3", { recordSegmentDuration: "3s" });
      await app.patch("/api/v1/paths/cam3", { record: false, labels: ["gate"] });
      await configured(app, "cam3");
      await app.delete("/api/v1/paths/cam3");
      await waitFor("cam3 to be gone", async () => {
        const { checks } = await app.get<{ checks: { name: string; status: string }[] }>("/api/v1/health/details");
        return checks.every(({ name, status }) => name !== "configuration" || status === "ok");
      });
      await record("site/cam2");

      const log = await app.mediamtxLog();
      expect(cameras.map(({ child }) => child.process.exitCode)).toEqual([null, null]);
      for (const name of ["cam1", "site/cam2"]) {
        expect(log.split(`is publishing to path '${name}'`)).toHaveLength(2);
      }
      expect(log).not.toMatch(/\[session [0-9a-f]+\] destroyed/);
      expect(log.split("reloading configuration").length).toBeGreaterThan(4);
      await Promise.all(cameras.map((camera) => camera.stop()));
      await app.drained();
      // The recorder of the edited path begins anew, that of the other one never stopped.
      const other = await app.recordings({ path: "site/cam2" });
      expect(new Set(other.map(({ streamId }) => streamId)).size).toBe(1);
      expect(other.map(({ segmentNumber }) => segmentNumber)).toEqual(other.map((_, index) => index));
      expect(other.slice(1).filter(({ gapBeforeSec }) => gapBeforeSec !== 0)).toEqual([]);
      const edited = await app.recordings({ path: "cam1" });
      expect(new Set(edited.map(({ streamId }) => streamId)).size).toBe(2);
      expect(edited.at(-2)?.durationSec).toBeGreaterThan(1.9);
      expect(await app.audit()).toMatchObject({ violations: [] });
    },
  );
});
