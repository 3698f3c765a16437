/** Wires logging in: keys that are kept in the data directory, and the first user. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { createAccessTokens, newSigningKey, type SigningKey } from "../access/access-tokens.js";
import { Identity } from "../access/identity.js";
import { LoginLimit } from "../access/login-limit.js";
import { Oidc } from "../access/oidc.js";
import { createPasswords, type Passwords } from "../access/passwords.js";
import { REELKEEPER } from "../catalog/audit.js";
import type { Catalog } from "../catalog/catalog.js";
import { hasUsers, insertUser } from "../catalog/users.js";
import { errnoOf } from "../core/errors.js";
import type { HttpDeps, LoginElsewhere } from "../http/http-deps.js";
import { ensureDirectory, writeFileAtomically } from "../platform/files.js";
import type { Setup } from "./setup.js";

const KEYS_KEPT = 2;

export async function createLogin(setup: Setup, catalog: Catalog): Promise<HttpDeps["login"]> {
  const { config, clock } = setup;
  const passwords = createPasswords();
  const limit = new LoginLimit(() => clock.monotonicMs());
  const common = { passwords, limit, isSecure: config.cookieSecure };
  if (!config.login) return { ...common, identity: null, elsewhere: null };
  const tokens = await createAccessTokens(await loadSigningKeys(config, "jwt-keys.json"));
  return { ...common, identity: new Identity({ catalog, passwords, tokens, limit }), elsewhere: loginElsewhere(setup) };
}

function loginElsewhere({ config: { oidc, publicUrl }, secrets }: Setup): LoginElsewhere | null {
  if (oidc === null || publicUrl === null) return null;
  const redirectUrl = `${publicUrl}/api/v1/login/oidc/callback`;
  const provider = new Oidc({ ...oidc, clientSecret: secrets.oidcClientSecret, redirectUrl });
  return { provider, groupRoles: oidc.groupRoles, publicUrl };
}

/**
 * Where nobody can log in yet, one admin. Returns the password that was made for them, to be printed once; null when
 * there are users already, or the operator has given one.
 */
export async function createFirstAdmin(
  { secrets }: Setup,
  catalog: Catalog,
  passwords: Passwords,
): Promise<string | null> {
  if (await hasUsers(catalog)) return null;
  const password = secrets.adminPassword ?? randomBytes(12).toString("base64url");
  const passwordHash = await passwords.hash(password);
  await insertUser(catalog, { name: "admin", role: "admin", paths: [], passwordHash }, REELKEEPER);
  return secrets.adminPassword === null ? password : null;
}

/** A JWK Set of private keys (RFC 7517), mode 0600. To rotate: put a new one first; two are used. */
export async function loadSigningKeys(
  { dataDir }: Setup["config"],
  name: "jwt-keys.json" | "stream-keys.json",
): Promise<readonly [SigningKey, ...SigningKey[]]> {
  const directory = path.join(dataDir, "secrets");
  const file = path.join(directory, name);
  const [first, second] = await readKeys(file);
  if (first !== undefined) return second === undefined ? [first] : [first, second];
  const made = await newSigningKey();
  await ensureDirectory(directory, 0o700);
  await writeFileAtomically(file, `${JSON.stringify({ keys: [made] }, null, 2)}\n`, 0o600);
  return [made];
}

async function readKeys(file: string): Promise<readonly SigningKey[]> {
  try {
    const { keys } = JSON.parse(await readFile(file, "utf8")) as { keys: readonly SigningKey[] };
    return keys.slice(0, KEYS_KEPT);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
