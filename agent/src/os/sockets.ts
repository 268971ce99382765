import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import type { Server } from "node:net";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import { makeFolder, readTextIfThere } from "./files.ts";

/**
 * Unix sockets, guarded by owner and mode: Node cannot ask who the peer is, the file system can refuse it.
 */

/** The first descriptor that an init system hands over, sd_listen_fds(3). */
const FIRST_PASSED_DESCRIPTOR = 3;

/** True when an init system listens for us and has passed exactly one socket to this very process. */
export function hasPassedSocket(environment: NodeJS.ProcessEnv): boolean {
  return environment["LISTEN_PID"] === String(process.pid) && environment["LISTEN_FDS"] === "1";
}

export function listenOnPassedSocket(server: Server): Promise<void> {
  return listening(server, () => server.listen({ fd: FIRST_PASSED_DESCRIPTOR }));
}

/** Listens on a path of its own, in place of a socket that a dead process left. The caller made sure that no live one serves it. */
export async function listenOnPath(server: Server, path: string, mode: number, gid?: number): Promise<void> {
  if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket()) throw new Error(`${path} is there and is no socket; remove it`);
    unlinkSync(path);
  }
  // Until the mode is set nobody else may connect.
  const before = process.umask(0o177);
  try {
    await listening(server, () => server.listen(path));
  } finally {
    process.umask(before);
  }
  if (gid !== undefined) chownSync(path, 0, gid);
  chmodSync(path, mode);
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}

/** A connected socket, or null when nobody listens there. */
export function connectUnix(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.off("error", refuse);
      resolve(socket);
    });
    const refuse = (error: NodeJS.ErrnoException): void => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(null);
      else reject(error);
    };
    socket.once("error", refuse);
  });
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account of that name, from /etc/passwd; null when there is none. */
export function accountNamed(name: string): Account | null {
  for (const line of (readTextIfThere("/etc/passwd") ?? "").split("\n")) {
    const [login, , uid, gid] = line.split(":");
    if (login === name && uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return null;
}
