/** What docker-compose.yml must say, whoever edits it. */
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { type Variable, VARIABLES } from "../../../src/config/variables.js";
import { COMPOSE_FILE, readCompose } from "../../integration/start/compose.js";

const { services, volumes } = readCompose();
const OURS = ["reelkeeper", "mediamtx"] as const;

describe("docker-compose.yml", () => {
  it("binds to all addresses, and so has people log in", () => {
    expect(services["reelkeeper"]?.environment).toMatchObject({ HOST: "0.0.0.0", LOGIN: "required" });
  });

  it.each(OURS)("runs %s as nobody special, with nothing but its volumes to write to", (name) => {
    const service = services[name]!;
    expect(service).toMatchObject({
      user: "1000:1000",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    expect(service.healthcheck.test.length).toBeGreaterThan(1);
    expect(Number.parseInt(service.stop_grace_period, 10)).toBeGreaterThanOrEqual(30);
  });

  it("shares recordings and configuration between the two, the configuration read-only for MediaMTX", () => {
    expect(services["reelkeeper"]?.volumes).toEqual(["data:/data", "recordings:/recordings", "config:/config"]);
    expect(services["mediamtx"]?.volumes).toEqual(["recordings:/recordings", "config:/config:ro"]);
    const used = OURS.flatMap((name) => services[name]!.volumes.map((volume) => volume.split(":")[0]));
    expect(Object.keys(volumes)).toEqual(expect.arrayContaining(used));
  });

  it("starts MediaMTX after Reelkeeper wrote its configuration, and so stops it first", () => {
    expect(services["mediamtx"]?.depends_on).toEqual({ reelkeeper: { condition: "service_healthy" } });
    expect(services["reelkeeper"]?.depends_on).toBeUndefined();
    expect(services["mediamtx"]?.image).toBe("bluenviron/mediamtx:1-ffmpeg");
  });

  it("knows only variables that Reelkeeper knows, each acceptable as it stands", () => {
    const variables = Object.entries<Variable>(VARIABLES);
    const known = variables.flatMap(([name, { secret }]) => (secret === true ? [name, `${name}_FILE`] : [name]));
    for (const name of Object.keys(services["reelkeeper"]!.environment)) expect(known).toContain(name);
  });

  it("holds no secret: each comes from the environment of whoever starts it", () => {
    const text = readFileSync(COMPOSE_FILE, "utf8");
    const variables: Readonly<Record<string, Variable>> = VARIABLES;
    const lines = text.split("\n").map((line) => line.trim());
    for (const [name, { secret }] of Object.entries(variables)) {
      if (secret !== true) continue;
      for (const line of lines.filter((one) => one.startsWith(`${name}:`))) {
        expect(line).toMatch(new RegExp(`^${name}: \\$\\{${name}:[-?][^}]*\\}$`));
      }
    }
    expect(text).toMatch(/POSTGRES_PASSWORD: \$\{POSTGRES_PASSWORD:-\}/);
    expect(text).not.toMatch(/AKIA|-----BEGIN|:\/\/[^\s/:]+:[^\s/$]+@/);
  });
});
