/** LOGIN=off as the way back in for an admin who has lost the only password, on the real product. */
import { expect, it, onTestFinished } from "vitest";

import { startApp } from "../../support/app.js";
import { ask } from "../../support/http-ask.js";
import { tempDir } from "../../support/temp-dir.js";

const LOST = "the-lost-password-0123";
const NEW = "a-new-password-0123";

it("one start with LOGIN=off lets this machine give the admin a new password; every login of before is over", async () => {
  const required = { LOGIN: "required", COOKIE_SECURE: "false", ADMIN_PASSWORD: LOST };
  const env = { ...required, MEDIAMTX_MODE: "external" };
  const app = await startApp({ directory: await tempDir(), env });
  onTestFinished(() => app.close());
  const login = (name: string, password: string) => app.request("POST", "/api/v1/login", { name, password });
  const me = async (token: string) =>
    (await fetch(`${app.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
  const { accessToken } = (await login("admin", LOST)).body as { accessToken: string };
  expect(await me(accessToken)).toBe(200);
  expect((await app.request("GET", "/api/v1/users")).status).toBe(401);

  await app.restart({ LOGIN: "off" });
  const { items } = await app.get<{ items: { id: string; name: string; role: string }[] }>("/api/v1/users");
  const admin = items.find(({ name }) => name === "admin");
  expect(items).toEqual([expect.objectContaining({ name: "admin", role: "admin" })]);
  // Not by a name that somebody else's page has this machine take for its own.
  const foreign = await ask({ port: app.installed.port }, "/api/v1/users", { headers: { host: "nvr.example.org" } });
  expect(foreign.status).toBe(403);
  expect((await app.request("PATCH", `/api/v1/users/${admin?.id ?? ""}`, { password: NEW })).status).toBe(200);

  await app.restart();
  expect((await app.request("GET", "/api/v1/users")).status).toBe(401);
  expect(await me(accessToken)).toBe(401);
  expect((await login("admin", LOST)).status).toBe(401);
  const { accessToken: fresh } = (await login("admin", NEW)).body as { accessToken: string };
  const audit = await fetch(`${app.url}/api/v1/audit?action=user&limit=100`, {
    headers: { authorization: `Bearer ${fresh}` },
  });
  const { items: notes } = (await audit.json()) as { items: { action: string; target: string }[] };
  expect(notes.map(({ action, target }) => `${action} ${target}`)).toEqual([
    "user.update user:admin",
    "user.create user:admin",
  ]);
  expect(app.output()).not.toContain(NEW);
});

it("does not start open to others: off this machine it asks for a token", async () => {
  const app = await startApp({ directory: await tempDir(), env: { LOGIN: "required", MEDIAMTX_MODE: "external" } });
  onTestFinished(() => app.close());
  await app.stop();
  await expect(app.start({ LOGIN: "off", HOST: "0.0.0.0" })).rejects.toThrow(/LOGIN is off and ADMIN_TOKEN is not set/);
});
