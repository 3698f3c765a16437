/** HTTPS by certificate files, which a renewal replaces while we run. */
import { readFile } from "node:fs/promises";
import type { Server } from "node:https";
import { createSecureContext } from "node:tls";

import { AppError, describeError } from "../core/errors.js";

export interface CertificateFiles {
  /** PEM, the certificate first, then the chain. */
  readonly certFile: string;
  readonly keyFile: string;
}

interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const LOOK_EVERY_MS = 60_000;

/** Throws `failed-precondition` that names the files, when they cannot be read or do not belong together. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (cause) {
    throw new AppError({
      kind: "failed-precondition",
      message: `the certificate ${certFile} and its key ${keyFile} cannot be used: ${describeError(cause)}`,
      hint: "TLS_CERT_FILE and TLS_KEY_FILE are PEM files that belong together and that this user may read",
      cause,
    });
  }
}

export interface FollowOptions {
  /** Files that cannot be used are no reason to stop: they may be half written. */
  readonly onError: (error: unknown) => void;
  /** Default: a minute. */
  readonly lookEveryMs?: number;
}

/** New connections get the files as they are now; what the server began with is `used`. Gives the end of it. */
export function followCertificate(
  server: Pick<Server, "setSecureContext">,
  {
    used,
    onError,
    lookEveryMs = LOOK_EVERY_MS,
    ...files
  }: FollowOptions & CertificateFiles & { readonly used: Certificate },
): () => void {
  let last = used;
  const look = async (): Promise<void> => {
    const now = await readCertificate(files);
    if (now.cert.equals(last.cert) && now.key.equals(last.key)) return;
    server.setSecureContext(now);
    last = now;
  };
  const timer = setInterval(() => void look().catch(onError), lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
