/** `reelkeeper user`: an admin who is locked out gets in again, beside the running server. */
import { expect, it, onTestFinished } from "vitest";

import { startApp } from "../../support/app.js";
import { tempDir } from "../../support/temp-dir.js";
import { runCommand } from "./command.js";

const OWN = "a password from stdin";

it("lets a locked out admin in again, adds and bans people, and tells the audit log", async () => {
  const env = { LOGIN: "required", COOKIE_SECURE: "false", MEDIAMTX_MODE: "external" };
  const app = await startApp({ directory: await tempDir(), env });
  onTestFinished(() => app.close());
  const user = (args: readonly string[], input?: string) => runCommand(app.installed, ["user", ...args], {}, input);
  const login = (name: string, password: string) => app.request("POST", "/api/v1/login", { name, password });
  const tokenOf = ({ body }: { readonly body: unknown }) => (body as { accessToken: string }).accessToken;
  const me = async (token: string) =>
    (await fetch(`${app.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;

  const made = await user(["set-password", "admin"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const password = /the password is (\S+)/.exec(made.stdout)?.[1] ?? "";
  const first = await login("admin", password);
  expect(first.status).toBe(200);

  expect(await user(["set-password", "admin", "--password-stdin"], `${OWN}\n`)).toMatchObject({
    code: 0,
    stdout: "admin has a new password\n",
  });
  expect(await me(tokenOf(first))).toBe(401);
  expect((await login("admin", password)).status).toBe(401);
  const second = await login("admin", OWN);
  expect(second.status).toBe(200);

  const add = ["add", "anna", "--role", "operator", "--path", "site-a/*", "--path", "cam1", "--password-stdin"];
  expect((await user(add, "another password")).code).toBe(0);
  const anna = await login("anna", "another password");
  expect(anna.body).toMatchObject({ user: { role: "operator", paths: ["cam1", "site-a/*"] } });
  expect((await user(["disable", "anna"])).stdout).toBe("anna is disabled\n");
  expect(await me(tokenOf(anna))).toBe(401);
  expect((await login("anna", "another password")).status).toBe(401);
  expect((await user(["enable", "anna"])).code).toBe(0);
  expect((await login("anna", "another password")).status).toBe(200);

  const { stdout } = await user(["list"]);
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^admin {2}admin {2}every path {2}last login 20/),
    expect.stringMatching(/^anna {2}operator {2}cam1, site-a\/\* {2}last login 20/),
    "",
  ]);
  const answer = await fetch(`${app.url}/api/v1/audit?action=user&limit=100`, {
    headers: { authorization: `Bearer ${tokenOf(second)}` },
  });
  const { items } = (await answer.json()) as { items: { action: string; target: string; actor: { name: string } }[] };
  expect(items.map(({ action, target }) => `${action} ${target}`)).toEqual([
    "user.update user:anna",
    "user.update user:anna",
    "user.create user:anna",
    "user.update user:admin",
    "user.update user:admin",
    "user.create user:admin",
  ]);
  expect(items[0]?.actor.name).toMatch(/^reelkeeper user, run by /);
  expect(JSON.stringify(items) + app.output()).not.toContain(OWN);

  for (const [args, code, said] of [
    [["set-password", "nobody"], 1, 'no user is named "nobody" (there are: admin, anna)'],
    [["disable", "admin"], 1, "no admin would be left"],
    [["add", "anna", "--role", "viewer"], 1, 'a user named "anna" exists'],
    [["add", "Bob", "--role", "viewer"], 1, "name is not accepted"],
    [["add", "bob", "--role", "owner"], 1, "role is not accepted"],
    [["add", "bob", "--role", "viewer", "--path", "site-*"], 1, "paths.0 is not accepted"],
    [["set-password", "anna", "--password-stdin"], 1, "password is not accepted: expected 12 characters or more"],
    [["add", "bob"], 2, "Usage: reelkeeper user"],
    [["list", "anna"], 2, "Usage: reelkeeper user"],
    [["disable", "anna", "--role", "viewer"], 2, "Usage: reelkeeper user"],
    [[], 2, "Usage: reelkeeper user"],
  ] as const) {
    const refused = await user(args);
    expect([args, refused.code, refused.stdout]).toEqual([args, code, ""]);
    expect(refused.stderr).toContain(said);
  }
});
