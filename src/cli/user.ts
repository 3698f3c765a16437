/** `user …`: for an admin who is locked out, beside a running server or without one. Each change stands in the audit log. */
import { randomBytes } from "node:crypto";
import os from "node:os";
import { parseArgs } from "node:util";

import { createPasswords } from "../access/passwords.js";
import type { Actor } from "../catalog/audit.js";
import { type Catalog, closeCatalog } from "../catalog/catalog.js";
import { findUser, insertUser, listUsers, updateUser, type UserPatch } from "../catalog/users.js";
import { newUserSchema, userPatchSchema } from "../contract/users.js";
import { AppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import type { User } from "../core/user.js";
import { openConfiguredCatalog, setUp } from "../wiring/setup.js";

const USAGE = `Usage: reelkeeper user COMMAND

  list                                                who there is
  add NAME --role admin|operator|viewer [--path PATTERN]... [--password-stdin]
  set-password NAME [--password-stdin]                ends their sessions
  disable NAME                                        ends their sessions
  enable NAME

A password that does not come on standard input is generated, and printed once.
`;
/** More is no password. */
const MOST_STDIN_BYTES = 4_096;

interface Order {
  readonly verb: "list" | "add" | "set-password" | "disable" | "enable";
  readonly name: string;
  readonly role: string | undefined;
  readonly paths: readonly string[];
  readonly fromStdin: boolean;
}

/** Returns the exit code. Throws `invalid-argument`, `not-found`, `already-exists`, `failed-precondition`. */
export async function user(argv: readonly string[]): Promise<number> {
  const order = parse(argv);
  if (order === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const catalog = await openConfiguredCatalog(await setUp());
  try {
    process.stdout.write(await carryOut(catalog, order));
    return 0;
  } finally {
    await closeCatalog(catalog);
  }
}

function parse(argv: readonly string[]): Order | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        role: { type: "string" },
        path: { type: "string", multiple: true, default: [] },
        "password-stdin": { type: "boolean", default: false },
      },
    });
    const [verb = "", name = "", ...more] = positionals;
    const { role, path: paths, "password-stdin": fromStdin } = values;
    const isKnown = isVerb(verb) && more.length === 0 && (verb === "list") === (name === "");
    if (!isKnown || (verb === "add") !== (role !== undefined) || (verb !== "add" && paths.length > 0)) return undefined;
    if (fromStdin && verb !== "add" && verb !== "set-password") return undefined;
    return { verb, name, role, paths, fromStdin };
  } catch {
    return undefined;
  }
}

function isVerb(text: string): text is Order["verb"] {
  return ["list", "add", "set-password", "disable", "enable"].includes(text);
}

/** What to print. */
async function carryOut(catalog: Catalog, order: Order): Promise<string> {
  switch (order.verb) {
    case "list":
      return (await listUsers(catalog)).map(inWords).join("");
    case "add":
      return add(catalog, order);
    case "set-password":
      return setPassword(catalog, order);
    case "disable":
    case "enable":
      await change(catalog, order.name, { disabled: order.verb === "disable" });
      return `${order.name} is ${order.verb}d\n`;
    default:
      return order.verb satisfies never;
  }
}

async function add(catalog: Catalog, { name, role, paths, fromStdin }: Order): Promise<string> {
  const { password, told } = await obtainPassword(fromStdin);
  const { password: checked, ...facts } = parsed(newUserSchema, { name, role, paths, password });
  const passwordHash = await createPasswords().hash(checked);
  await insertUser(catalog, { ...facts, passwordHash }, whoever());
  return `${name} is added${told}\n`;
}

async function setPassword(catalog: Catalog, { name, fromStdin }: Order): Promise<string> {
  const { password, told } = await obtainPassword(fromStdin);
  parsed(userPatchSchema, { password });
  await change(catalog, name, { passwordHash: await createPasswords().hash(password) });
  return `${name} has a new password${told}\n`;
}

async function change(catalog: Catalog, name: string, patch: UserPatch): Promise<void> {
  const known = await findUser(catalog, { name });
  if (known === undefined) {
    const names = (await listUsers(catalog)).map((one) => one.name).join(", ");
    throw new AppError({ kind: "not-found", message: `no user is named "${name}"`, hint: `there are: ${names}` });
  }
  await updateUser(catalog, { id: known.id, patch }, whoever());
}

/** `told`: what a person has to be told of it. */
async function obtainPassword(fromStdin: boolean): Promise<{ readonly password: string; readonly told: string }> {
  if (fromStdin) return { password: await readPassword(), told: "" };
  const password = randomBytes(12).toString("base64url");
  return { password, told: `; the password is ${password} (shown this once)` };
}

async function readPassword(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > MOST_STDIN_BYTES) break;
  }
  return text.replace(/\r?\n$/, "");
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function parsed<T>(schema: Schema<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path, message }) => ({ field: path.map(String).join("."), message }));
  const [first] = fields;
  throw new AppError({
    kind: "invalid-argument",
    message: `${first?.field ?? ""} is not accepted: ${first?.message ?? ""}`,
    fields,
  });
}

/** Of the operating system: who may run this may do everything here anyway. */
function whoever(): Actor {
  return { kind: "machine", id: "reelkeeper-user", name: `reelkeeper user, run by ${nameInSystem()}`, address: null };
}

function nameInSystem(): string {
  try {
    return os.userInfo().username;
  } catch {
    // In a container a user may have no name.
    return `uid ${String(process.getuid?.() ?? "unknown")}`;
  }
}

function inWords({ name, role, paths, disabled, lastLoginAtUs }: User): string {
  const seen = lastLoginAtUs === null ? "never logged in" : `last login ${formatRfc3339(lastLoginAtUs)}`;
  const sees = role === "admin" ? "every path" : paths.join(", ") || "no path";
  return `${name}  ${role}${disabled ? ", disabled" : ""}  ${sees}  ${seen}\n`;
}
