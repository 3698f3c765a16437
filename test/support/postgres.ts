/** A real PostgreSQL 15 of a test's own: a cluster in a temporary directory, on a free port, without fsync. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import pg from "pg";

import { type Child, startChild } from "./child.js";
import { freePorts } from "./free-port.js";
import { createTempDir, removeTempDir } from "./temp-dir.js";
import { waitFor } from "./wait-for.js";

export interface PostgresServer {
  /** A new, empty database; answers its URL. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** As `pg_ctl -m immediate`: no session is told, nothing is written any more. Then starts it again on its port. */
  crash(): Promise<void>;
  /** Ends the server and removes the cluster. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** What was committed is there after a crash of the server; slower. */
  readonly survivesCrash?: boolean;
  /** Of postgresql.conf, before those of tests, which are for small databases. */
  readonly settings?: Readonly<Record<string, string>>;
}

const VERSION = "15";
const SUPERUSER = "reelkeeper";
const run = promisify(execFile);

/** Throws when PostgreSQL is not installed: these tests are not optional. The caller stops it. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = findPrograms();
  const owner = await serverUser();
  const directory = await createTempDir();
  const data = path.join(directory, "data");
  try {
    await mkdir(data, { mode: 0o700 });
    if (owner.uid !== undefined) await Promise.all([directory, data].map((dir) => chown(dir, owner.uid, owner.gid)));
    // Names must compare byte by byte also where the server's language sorts otherwise.
    const locale = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"];
    const flags = ["--pgdata", data, "--username", SUPERUSER, "--auth=trust", "--no-sync", ...locale];
    await run(path.join(programs, "initdb"), flags, { ...owner, cwd: directory });
    return await startServer({ programs, owner, directory, data, ...options });
  } catch (error) {
    await removeTempDir(directory);
    throw error;
  }
}

interface Cluster extends PostgresOptions {
  readonly programs: string;
  readonly owner: ServerUser;
  readonly directory: string;
  readonly data: string;
}

async function startServer({
  programs,
  owner,
  directory,
  data,
  survivesCrash = false,
  settings: ownSettings = {},
}: Cluster): Promise<PostgresServer> {
  const [port = 0] = await freePorts(1);
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    synchronous_commit: survivesCrash ? "on" : "off",
    full_page_writes: "off",
    shared_buffers: "16MB",
    max_connections: "60",
    ...ownSettings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const start = (): Promise<Child> =>
    startChild(path.join(programs, "postgres"), ["-D", data, ...flags], { ...owner, cwd: directory });
  let child = await start();
  const stop = async (): Promise<void> => {
    // SIGINT is PostgreSQL's "fast": it ends the sessions that tests left open.
    await child.stop("SIGINT");
    await removeTempDir(directory);
  };
  const urlOf = (database: string): string => `postgres://${SUPERUSER}@127.0.0.1:${port}/${database}`;
  let created = 0;
  const answers = async (): Promise<void> => {
    await waitFor("PostgreSQL to answer", async () => {
      if (child.process.exitCode !== null) return "ended" as const;
      await query(urlOf("postgres"), "select 1");
      return "answers" as const;
    });
    if (child.process.exitCode !== null) throw new Error("it ended");
  };
  try {
    await answers();
  } catch (error) {
    await stop();
    throw new Error(`PostgreSQL does not start: ${child.output()}`, { cause: error });
  }
  return {
    createDatabase: async () => {
      created += 1;
      const name = `test_${created}`;
      await query(urlOf("postgres"), `create database ${name}`);
      return urlOf(name);
    },
    dropDatabase: async (url) => {
      await query(urlOf("postgres"), `drop database ${new URL(url).pathname.slice(1)} with (force)`);
    },
    crash: async () => {
      await child.stop("SIGQUIT");
      child = await start();
      await answers();
    },
    stop,
  };
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // The server ends sessions when it stops; nobody waits for this one by then.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The folder of `initdb` and `postgres`: where packages put this version, else on the PATH. */
function findPrograms(): string {
  const folders = [
    `/usr/lib/postgresql/${VERSION}/bin`,
    `/usr/pgsql-${VERSION}/bin`,
    `/opt/homebrew/opt/postgresql@${VERSION}/bin`,
    ...(process.env["PATH"] ?? "").split(path.delimiter),
  ];
  const found = folders.find((folder) => existsSync(path.join(folder, "initdb")));
  if (found === undefined) {
    throw new Error(`the tests need PostgreSQL ${VERSION}: install it (Debian: apt-get install postgresql-${VERSION})`);
  }
  return found;
}

type ServerUser = { readonly uid: number; readonly gid: number } | { readonly uid?: never; readonly gid?: never };

/** PostgreSQL refuses to run as root; its package brings a user. */
async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => run("id", [flag, "postgres"])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}
