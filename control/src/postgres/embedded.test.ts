/** The embedded PostgreSQL when things go wrong around it: E1 to E4 of embedded.ts. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DEBIAN_15, hasDebian15 } from "@holdfast/testkit/database.ts";
import pg from "pg";
import { expect, test, vi } from "vitest";
import { clientConfig } from "../store/database.ts";
import { makeDatabase } from "../store/roles.ts";
import { binariesIn, embeddedBinaries, type PostgresBinaries } from "./binaries.ts";
import { databaseUser } from "./database-user.ts";
import {
  APP_ROLE,
  OWNER_ROLE,
  SIGNER_ROLE,
  startEmbedded,
  SUPERUSER,
  type EmbeddedOptions,
  type EmbeddedPostgres,
} from "./embedded.ts";
import { runInitdb, startPostmaster, stopPostmaster } from "./postmaster.ts";

// Each test makes at least one cluster, and initdb alone takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const WITHIN = { timeout: 20_000, interval: 25 };
const isRoot = process.getuid?.() === 0;

function debian15(): PostgresBinaries {
  const found = binariesIn(DEBIAN_15);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

const INSTALLATIONS: readonly (readonly [string, Partial<EmbeddedOptions>])[] = [
  ["the embedded PostgreSQL", {}],
  ...(hasDebian15 ? [["Debian's PostgreSQL 15", { binaries: debian15() }] as const] : []),
];

/** A home in a directory of its own; whatever PostgreSQL is still running there afterwards is ended. */
async function withHome(body: (home: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-embedded-"));
  try {
    // The database user must be able to enter it.
    mkdirSync(join(directory, "data"), { mode: 0o711 });
    chmodSync(directory, 0o711);
    await body(join(directory, "data", "database"));
  } finally {
    const pidFile = join(directory, "data", "database", "cluster", "postmaster.pid");
    if (existsSync(pidFile)) await stopPostmaster(Number(readFileSync(pidFile, "utf8").split("\n")[0]));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function start(home: string, more: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPostgres> {
  const log: string[] = [];
  const started = await startEmbedded({ home, log: (line) => log.push(line), ...more });
  if (!started.ok) throw new Error(`${started.error.message}\n${log.join("\n")}`);
  return started.value;
}

async function ask(
  postgres: EmbeddedPostgres,
  text: string,
  role: string = SUPERUSER,
  database = "postgres",
): Promise<unknown[]> {
  const client = new pg.Client(clientConfig(postgres.target(role, database)));
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

test.each(INSTALLATIONS)(
  "%s keeps what was committed when its postmaster is killed, and is started again",
  async (_name, more) => {
    await withHome(async (home) => {
      const postgres = await start(home, more);
      try {
        await ask(postgres, "create table public.kept as select 1 as one");
        for (let kill = 0; kill < 2; kill++) {
          const before = postgres.pid();
          process.kill(before, "SIGKILL");
          await vi.waitFor(() => expect(postgres.pid()).not.toBe(before), WITHIN);
          expect(await ask(postgres, "select one from public.kept")).toEqual([{ one: 1 }]);
        }
      } finally {
        await postgres.stop();
      }
      expect(isRunning(postgres.pid())).toBe(false);

      const again = await start(home, more);
      try {
        expect(await ask(again, "select one from public.kept")).toEqual([{ one: 1 }]);
        expect(
          await ask(
            again,
            "select current_setting('data_checksums') as sums, current_setting('server_encoding') as encoding",
          ),
        ).toEqual([{ sums: "on", encoding: "UTF8" }]);
      } finally {
        await again.stop();
      }
    });
  },
);

test("when the control plane is killed, PostgreSQL ends too, and the next one goes on", async () => {
  await withHome(async (home) => {
    const program = join(home, "..", "supervisor.ts");
    const embedded = fileURLToPath(new URL("./embedded.ts", import.meta.url));
    writeFileSync(
      program,
      `import { startEmbedded } from ${JSON.stringify(embedded)};
       const started = await startEmbedded({ home: process.argv[2], log: () => undefined });
       console.log(started.ok ? started.value.pid() : started.error.message);
       setInterval(() => undefined, 1_000);`,
    );
    const supervisor = spawn(process.execPath, [program, home], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const pid = await new Promise<number>((resolve) =>
        createInterface({ input: supervisor.stdout }).once("line", (line) => resolve(Number(line))),
      );
      expect(isRunning(pid)).toBe(true);
      const refused = await startEmbedded({ home, log: () => undefined });
      expect(refused).toMatchObject({ ok: false, error: { code: "postgres.in_use" } });

      supervisor.kill("SIGKILL");
      const next = await start(home);
      try {
        expect(await ask(next, "select 1 as one")).toEqual([{ one: 1 }]);
        expect(isRunning(pid)).toBe(false);
      } finally {
        await next.stop();
      }
    } finally {
      supervisor.kill("SIGKILL");
    }
  });
});

test("a PostgreSQL that a dead control plane left behind is stopped first", async () => {
  await withHome(async (home) => {
    const first = await start(home);
    const target = first.target(SUPERUSER, "postgres");
    await first.stop();
    // The same cluster, started past any supervisor.
    if (target.kind !== "socket") throw new Error("not a socket");
    const user = databaseUser();
    if (!user.ok) throw new Error(user.error.message);
    const binaries = embeddedBinaries(user.value, join(home, "..", "copy"));
    if (!binaries.ok) throw new Error(binaries.error.message);
    const orphan = await startPostmaster(
      binaries.value,
      {
        root: home,
        cluster: join(home, "cluster"),
        halfMade: "",
        hba: join(home, "hba.conf"),
        ident: join(home, "ident.conf"),
        socketDirectory: target.directory,
        release: () => undefined,
      },
      user.value,
      {},
      () => undefined,
    );
    if (!orphan.ok) throw new Error(orphan.error.message);
    const log: string[] = [];
    const next = await start(home, { log: (line) => log.push(line) });
    try {
      expect(isRunning(orphan.value.pid)).toBe(false);
      expect(next.pid()).not.toBe(orphan.value.pid);
      expect(log[0]).toContain(`process ${orphan.value.pid}`);
    } finally {
      await next.stop();
    }
  });
});

test("an initdb that was cut short is begun again", async () => {
  await withHome(async (home) => {
    mkdirSync(join(home, "cluster.half-made"), { recursive: true });
    chmodSync(home, 0o711);
    writeFileSync(join(home, "cluster.half-made", "PG_VERSION"), "18\n");
    const postgres = await start(home);
    try {
      expect(await ask(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
      expect(existsSync(join(home, "cluster.half-made"))).toBe(false);
    } finally {
      await postgres.stop();
    }
  });
});

test.skipIf(!hasDebian15)(
  "a cluster of another major version is refused with what to do, and left as it is",
  async () => {
    await withHome(async (home) => {
      const postgres = await start(home, { binaries: debian15() });
      await postgres.stop();
      const refused = await startEmbedded({ home, log: () => undefined });
      expect(refused).toMatchObject({ ok: false, error: { code: "postgres.other_version" } });
      expect(readFileSync(join(home, "cluster", "PG_VERSION"), "utf8")).toBe("15\n");
    });
  },
);

test.runIf(isRoot)(
  "where the database user cannot enter the data directory, the database lives outside and is found again",
  async () => {
    await withHome(async (home) => {
      const closed = join(home, "..", "closed");
      mkdirSync(closed, { mode: 0o700 });
      const outside = join(home, "..", "outside");
      const inClosed = join(closed, "database");
      for (const round of [1, 2]) {
        const postgres = await start(inClosed, { outside });
        try {
          expect(lstatSync(inClosed).isSymbolicLink()).toBe(true);
          expect(await ask(postgres, "create table if not exists public.kept as select 1 as one")).toBeDefined();
          if (round === 2) expect(await ask(postgres, "select one from public.kept")).toEqual([{ one: 1 }]);
        } finally {
          await postgres.stop();
        }
      }
      rmSync(outside, { recursive: true });
      expect(await startEmbedded({ home: inClosed, outside, log: () => undefined })).toMatchObject({
        ok: false,
        error: { code: "postgres.unreachable_directory" },
      });
    });
  },
);

test("a path that is too long for a socket gets its socket elsewhere", async () => {
  await withHome(async (home) => {
    const deep = join(home, "..", "d".repeat(60), "d".repeat(60), "database");
    const postgres = await start(deep);
    const target = postgres.target(SUPERUSER, "postgres");
    try {
      expect(await ask(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
    } finally {
      await postgres.stop();
    }
    expect(target.kind === "socket" && existsSync(target.directory)).toBe(false);
  });
});

test.runIf(isRoot)("only the control plane's own user is let in", async () => {
  await withHome(async (home) => {
    const postgres = await start(home);
    try {
      await makeDatabase(postgres.target(SUPERUSER, "postgres"), "house", OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
      await makeDatabase(postgres.target(SUPERUSER, "postgres"), "house", OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
      expect(await ask(postgres, "select current_user as me", APP_ROLE, "house")).toEqual([{ me: APP_ROLE }]);
      expect(await ask(postgres, "select current_user as me", OWNER_ROLE, "house")).toEqual([{ me: OWNER_ROLE }]);
      const target = postgres.target(APP_ROLE, "house");
      const directory = target.kind === "socket" ? target.directory : "";
      // For the signer's group; the kernel's word decides who is let in.
      expect(statSync(directory).mode & 0o777).toBe(0o710);
      // Even who may enter the socket's directory, as PostgreSQL's own user may, is not the control plane.
      const script = `import pg from ${JSON.stringify(import.meta.resolve("pg"))};
        const client = new pg.Client({ host: ${JSON.stringify(directory)}, user: "${APP_ROLE}", database: "house", ssl: false });
        client.connect().then(() => console.log("in"), (error) => console.log(error.code));`;
      const said = await new Promise<string>((resolve) => {
        const { uid, gid } = statSync(directory);
        const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
          uid,
          gid,
          cwd: "/",
          stdio: ["ignore", "pipe", "ignore"],
        });
        createInterface({ input: child.stdout }).once("line", resolve);
        child.once("exit", (code) => resolve(`ended ${code}`));
      });
      expect(said).toBe("28000");
    } finally {
      await postgres.stop();
    }
  });
});

test("a failed initdb says so", async () => {
  const log: string[] = [];
  const binaries = { initdb: "/bin/false", postgres: "/bin/false", major: 18 };
  expect(
    await runInitdb(binaries, "/nowhere", SUPERUSER, { name: "nobody", drop: null }, (line) => log.push(line)),
  ).toBe(false);
});
