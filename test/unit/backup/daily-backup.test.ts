import { describe, expect, it, onTestFinished } from "vitest";

import { DailyBackup } from "../../../src/backup/daily-backup.js";
import { noteLastBackup } from "../../../src/backup/last-backup.js";
import { closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import type { Backup } from "../../../src/core/backup.js";
import { AppError } from "../../../src/core/errors.js";
import type { Logger } from "../../../src/platform/logger.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { SEALING } from "../../support/sealing.js";
import { tempDir } from "../../support/temp-dir.js";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

interface Scene {
  readonly daily: DailyBackup;
  readonly clock: FakeClock;
  readonly errors: string[];
  made: number;
  fails: string | null;
}

async function createScene(): Promise<Scene> {
  const clock = createFakeClock();
  const file = `${await tempDir()}/catalog.sqlite`;
  const catalog = await openCatalog({ target: { kind: "sqlite", file }, clock, nodeId: "node-1", sealing: SEALING });
  onTestFinished(() => closeCatalog(catalog));
  const errors: string[] = [];
  const ignore = (): void => undefined;
  const logger: Logger = {
    ...{ debug: ignore, info: ignore, warn: ignore, child: () => logger },
    error: (_message, fields) => void errors.push(String(fields?.["err"])),
  };
  const make = async (): Promise<Backup> => {
    if (scene.fails !== null) throw new AppError({ kind: "unavailable", message: scene.fails });
    scene.made += 1;
    const backup = { key: `k${String(scene.made)}`, nodeId: "node-1", takenAtUs: clock.nowUs(), bytes: 5 };
    await noteLastBackup(catalog, backup);
    return backup;
  };
  const daily = new DailyBackup({ catalog, logger, intervalMs: 24 * HOUR_MS, make });
  const scene: Scene = { daily, clock, errors, made: 0, fails: null };
  return scene;
}

describe("the daily backup", () => {
  it("is made when it is due, and not before", async () => {
    const scene = await createScene();
    await scene.daily.look();
    expect(scene.daily.state()).toMatchObject({ last: { key: "k1", bytes: 5 }, error: null, isOverdue: false });
    await scene.clock.advance(24 * HOUR_MS - 1);
    await scene.daily.look();
    expect(scene.made).toBe(1);
    await scene.clock.advance(1);
    await scene.daily.look();
    expect(scene.daily.state()).toMatchObject({ last: { key: "k2" } });
  });

  it("that fails is tried again after a quarter of an hour, told once, and overdue after two days (F19)", async () => {
    const scene = await createScene();
    await scene.daily.look();
    scene.fails = "the store is away";
    await scene.clock.advance(25 * HOUR_MS);
    for (let minute = 0; minute <= 30; minute += 1) {
      await scene.daily.look();
      await scene.clock.advance(MINUTE_MS);
    }
    expect(scene.daily.state()).toMatchObject({ last: { key: "k1" }, error: "the store is away", isOverdue: false });
    expect(scene.errors).toEqual(["the store is away"]);
    await scene.clock.advance(23 * HOUR_MS);
    expect(scene.daily.state().isOverdue).toBe(true);
    scene.fails = null;
    await scene.daily.look();
    expect(scene.daily.state()).toMatchObject({ last: { key: "k2" }, error: null, isOverdue: false });
  });

  it("that was never made is overdue after two days too", async () => {
    const scene = await createScene();
    expect(scene.daily.state()).toEqual({ last: null, error: null, isOverdue: false });
    await scene.clock.advance(49 * HOUR_MS);
    expect(scene.daily.state().isOverdue).toBe(true);
  });
});
