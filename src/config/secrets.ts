/** Values that are never logged, and the generated ones, kept in DATA_DIR/secrets with mode 0600. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile } from "node:fs/promises";
import path from "node:path";

import { errnoOf } from "../core/errors.js";
import { writeFileAtomically } from "../platform/files.js";
import { type Env, refuse } from "./env.js";
import type { VariableName } from "./variables.js";

export interface Secrets {
  readonly hookSecret: string;
  readonly adminToken: string | null;
  /** For the first start. */
  readonly adminPassword: string | null;
  readonly oidcClientSecret: string | null;
  readonly mediamtxApiPassword: string;
  readonly databaseUrl: string | null;
  readonly r2: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Reads all secrets; generates what nobody gave. Throws `invalid-argument` for one that is too short. */
export async function loadSecrets(env: Env, dataDir: string): Promise<Secrets> {
  const directory = path.join(dataDir, "secrets");
  return {
    hookSecret: atLeast(env, "HOOK_SECRET", 16) ?? (await generated(directory, "hook-secret")),
    adminToken: atLeast(env, "ADMIN_TOKEN", 16),
    adminPassword: atLeast(env, "ADMIN_PASSWORD", 12),
    oidcClientSecret: atLeast(env, "OIDC_CLIENT_SECRET", 1),
    mediamtxApiPassword:
      atLeast(env, "MEDIAMTX_API_PASSWORD", 8) ?? (await generated(directory, "mediamtx-api-password")),
    databaseUrl: env.text("DATABASE_URL") ?? null,
    r2: {
      accessKeyId: atLeast(env, "R2_ACCESS_KEY_ID", 1) ?? "",
      secretAccessKey: atLeast(env, "R2_SECRET_ACCESS_KEY", 1) ?? "",
    },
  };
}

/** For the redactor of the log. */
export function secretValues(secrets: Secrets): string[] {
  const { hookSecret, adminToken, adminPassword, oidcClientSecret, mediamtxApiPassword, r2, databaseUrl } = secrets;
  return [
    hookSecret,
    adminToken,
    adminPassword,
    oidcClientSecret,
    mediamtxApiPassword,
    r2.secretAccessKey,
    ...passwordForms(databaseUrl),
  ].filter((value): value is string => value !== null && value !== "");
}

/** As it stands in the URL, and as a driver may tell it. */
function passwordForms(databaseUrl: string | null): string[] {
  if (databaseUrl === null || !URL.canParse(databaseUrl)) return [];
  const { password } = new URL(databaseUrl);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

function atLeast(env: Env, name: VariableName, length: number): string | null {
  const value = env.text(name);
  if (value === undefined) return null;
  // They travel in HTTP headers.
  if (value.length < length || !/^[!-~]+$/.test(value)) throw refuse(name, value);
  return value;
}

/** Created once; read ever after, so that a restart keeps running hooks valid. */
async function generated(directory: string, name: string): Promise<string> {
  const file = path.join(directory, name);
  try {
    const known = (await readFile(file, "utf8")).trim();
    if (known.length >= 16) return known;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const value = randomBytes(24).toString("base64url");
  await writeFileAtomically(file, `${value}\n`, 0o600);
  return value;
}
