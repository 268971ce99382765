import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "../servers/child.ts";
import { nodeBinary, repository } from "../servers/machine.ts";

/** The agent as servers of a lab run it. Both are made at most once in a process, and replaced in one instant: others may be running the old one. */

const BUILD_TIMEOUT_MS = 300_000;

/** One file from the checkout's sources; servers see it under the same path. */
export const agentBundle = once(() => bundled("agent/src/main.ts", "holdfast-agent.mjs"));
/** The session alone, as systemd runs it. */
export const sessionBundle = once(() => bundled("agent/src/session-main.ts", "holdfast-session.mjs"));

async function bundled(entry: string, name: string): Promise<string> {
  const folder = join(repository, "dist/agent");
  const bundle = join(folder, name);
  const fresh = join(folder, `.${String(process.pid)}-${name}`);
  mkdirSync(folder, { recursive: true });
  try {
    await must([nodeBinary, join(repository, "deploy/package/bundle.ts"), join(repository, entry), fresh]);
    renameSync(fresh, bundle);
  } finally {
    rmSync(fresh, { force: true });
  }
  return bundle;
}

/** The Debian package, from the same sources. */
export const agentPackage = once(async () => {
  const built = await must([nodeBinary, join(repository, "deploy/package/build.ts"), "--quick"], {
    timeoutMs: BUILD_TIMEOUT_MS,
    // Any time will do for a trial; a checkout without git has none to give.
    env: { SOURCE_DATE_EPOCH: "1" },
  });
  return built.trim().split("\n").at(-1) ?? "";
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
