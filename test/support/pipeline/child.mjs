/**
 * A process of the program under a sweep. With an IPC channel it waits for scenes and plays one after the other, each
 * as a start of its own; without one it plays the scene in argv once. PROGRAM is the directory of the program's copy.
 */
import { playScene } from "./scene.mjs";

const { arm, reachedPoints } = await import(`${process.env.PROGRAM}/dist/platform/fault-point.js`);

if (process.send === undefined) {
  await playScene(JSON.parse(process.argv[2]));
  process.exit(0);
}

process.on("message", (task) => void play(task));
process.on("disconnect", () => process.exit(0));
process.send({ kind: "ready" });

async function play({ scene, fault }) {
  arm(fault);
  process.send({ kind: "begun" });
  try {
    await playScene(scene);
    process.send({ kind: "played", reached: reachedPoints() });
  } catch (error) {
    process.send({ kind: "failed", reached: reachedPoints(), error: error?.stack ?? String(error) });
  }
}
