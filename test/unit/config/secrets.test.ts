import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { readEnv } from "../../../src/config/env.js";
import { loadSecrets, secretValues } from "../../../src/config/secrets.js";
import { tempDir } from "../../support/temp-dir.js";

it("generates what nobody gave, readable by the owner only, and keeps it over restarts", async () => {
  const dataDir = await tempDir();
  const first = await loadSecrets(readEnv({}), dataDir);
  expect(first.hookSecret.length).toBeGreaterThanOrEqual(32);
  expect(first.mediamtxApiPassword.length).toBeGreaterThanOrEqual(32);
  expect(first.hookSecret).not.toBe(first.mediamtxApiPassword);
  expect(first.adminToken).toBeNull();
  const directory = path.join(dataDir, "secrets");
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  for (const name of ["hook-secret", "mediamtx-api-password"]) {
    expect((await stat(path.join(directory, name))).mode & 0o777).toBe(0o600);
  }
  expect(await loadSecrets(readEnv({}), dataDir)).toEqual(first);
});

it("replaces a generated secret that was cut", async () => {
  const dataDir = await tempDir();
  await loadSecrets(readEnv({}), dataDir);
  const file = path.join(dataDir, "secrets", "hook-secret");
  await writeFile(file, "cut");
  const { hookSecret } = await loadSecrets(readEnv({}), dataDir);
  expect(hookSecret.length).toBeGreaterThanOrEqual(32);
  expect(await readFile(file, "utf8")).toBe(`${hookSecret}\n`);
});

it("takes what was given and writes none of it", async () => {
  const dataDir = await tempDir();
  const given = {
    HOOK_SECRET: "hook-secret-of-16+",
    ADMIN_TOKEN: "admin-token-of-16+",
    ADMIN_PASSWORD: "password-of-the-admin",
    MEDIAMTX_API_PASSWORD: "password",
    DATABASE_URL: "postgres://u:dbpass99@h/db",
    R2_ACCESS_KEY_ID: "access",
    R2_SECRET_ACCESS_KEY: "secret-key",
  };
  const secrets = await loadSecrets(readEnv(given), dataDir);
  expect(secrets).toEqual({
    hookSecret: given.HOOK_SECRET,
    adminToken: given.ADMIN_TOKEN,
    adminPassword: given.ADMIN_PASSWORD,
    oidcClientSecret: null,
    mediamtxApiPassword: given.MEDIAMTX_API_PASSWORD,
    databaseUrl: given.DATABASE_URL,
    r2: { accessKeyId: given.R2_ACCESS_KEY_ID, secretAccessKey: given.R2_SECRET_ACCESS_KEY },
  });
  await expect(stat(path.join(dataDir, "secrets"))).rejects.toMatchObject({ code: "ENOENT" });
});

it("names every secret to the redactor of the log, the password of the database too", async () => {
  const secrets = await loadSecrets(
    readEnv({
      HOOK_SECRET: "hook-secret-of-16+",
      ADMIN_TOKEN: "admin-token-of-16+",
      MEDIAMTX_API_PASSWORD: "password",
      DATABASE_URL: "postgres://u:db%40pass99@h/db",
      R2_SECRET_ACCESS_KEY: "secret-key",
    }),
    await tempDir(),
  );
  expect(secretValues(secrets)).toEqual(
    expect.arrayContaining([
      "hook-secret-of-16+",
      "admin-token-of-16+",
      "password",
      "secret-key",
      "db@pass99",
      "db%40pass99",
    ]),
  );
});
