import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { whyNotALine } from "@holdfast/core/log/line.ts";
import { expect, test } from "vitest";
import { withApi } from "./api-house.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: REPOSITORY,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

test(
  "the process starts on a free data directory, prints the first login once, is asked by the command line, and ends in order",
  { timeout: 180_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-main-"));
    // The database's user must be able to enter it.
    chmodSync(folder, 0o711);
    const env = {
      ...process.env,
      HOLDFAST_DATA_DIR: folder,
      HOLDFAST_HTTP_PORT: "0",
      HOLDFAST_AGENT_PORT: "0",
      HOLDFAST_AGENT_HOST: "127.0.0.1",
      HOLDFAST_METRICS_PORT: "0",
      DATABASE_URL: "",
      HOLDFAST_DATABASE_OWNER_URL: "",
    };
    const start = () => {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "control/src/main.ts"], {
        cwd: REPOSITORY,
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      const ready = Promise.withResolvers<string>();
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const url = /^Console: {2}(\S+)$/m.exec(output)?.[1];
        if (url !== undefined) ready.resolve(url);
      });
      void ended.then((code) => ready.reject(new Error(`it ended with ${String(code)}: ${output}`)));
      return { child, ready: ready.promise, ended, output: () => output };
    };
    const first = start();
    try {
      const url = await first.ready;
      const [, password = ""] = /^Login: {4}admin \/ (\S+)$/m.exec(first.output()) ?? [];
      expect(password).toMatch(/^[a-z2-9-]{23}$/);
      const logged = first
        .output()
        .split("\n")
        .filter((line) => line.startsWith("{"));
      expect(logged.map(whyNotALine).filter((why) => why !== null)).toEqual([]);
      expect(logged.join("\n")).not.toContain(password);
      const lines = logged.map((line) => JSON.parse(line) as { process: string; pid: number; uid?: number });
      expect(new Set(lines.map((line) => line.process))).toEqual(new Set(["control", "signer"]));
      expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ready", waiting: [] });
      const login = await fetch(`${url}/api/v1/session`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: "admin", password }),
      });
      const { sessionToken } = (await login.json()) as { sessionToken: string };
      await fetch(`${url}/api/v1/me/password`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${sessionToken}` },
        body: JSON.stringify({ current: password, next: "a password to keep" }),
      });
      const cli = (...args: string[]) =>
        run(join(REPOSITORY, "bin/holdfast"), args, { HOLDFAST_URL: url, HOLDFAST_TOKEN: sessionToken, HOME: folder });

      const enrolled = await cli("server", "enroll", "web-1", "--label", "role=web", "--json");
      expect(enrolled, enrolled.stderr).toMatchObject({ code: 0 });
      expect(JSON.parse(enrolled.stdout)).toMatchObject({
        command: expect.stringContaining("holdfast-agent enroll --control") as string,
      });
      const listed = await cli("server", "list", "--json");
      expect(JSON.parse(listed.stdout)).toMatchObject([
        { name: "web-1", labels: { role: "web" }, enrolment: "expected" },
      ]);
      const planned = await cli("plan", "-f", "testkit/src/demo/documents/floor.yaml", "--json");
      expect(planned.code, planned.stderr).toBe(0);
      const refused = await cli("server", "show", "nobody", "--json");
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stderr)).toMatchObject({ code: "resource.not_found" });
      // The signer is a process of its own, as another user where one can be given; killed, it is there again with the same key.
      const signer = lines.find((line) => line.process === "signer");
      expect(signer?.pid).not.toBe(first.child.pid);
      if (process.getuid?.() === 0) expect(signer?.uid).toBeGreaterThan(0);
      process.kill(signer?.pid ?? 0, "SIGKILL");
      await expect.poll(() => first.output(), { timeout: 20_000 }).toContain('"signer.ended"');
      await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
      const doctor = await cli("doctor", "--json");
      const rows = JSON.parse(doctor.stdout) as { id: string; holds: boolean; evidence: string }[];
      expect(rows.filter((row) => !row.holds).map((row) => `${row.id}: ${row.evidence}`)).toEqual([]);
      expect(doctor.code).toBe(0);
      first.child.kill("SIGTERM");
      expect(await first.ended).toBe(0);
      expect(readFileSync(join(folder, "signer", "command-key.pem"), "utf8")).toContain("PRIVATE KEY");
    } finally {
      first.child.kill("SIGKILL");
      await first.ended;
    }
    const second = start();
    try {
      await second.ready;
      expect(second.output()).not.toContain("Login:");
      second.child.kill("SIGINT");
      expect(await second.ended).toBe(0);
    } finally {
      second.child.kill("SIGKILL");
      await second.ended;
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test("a configuration that is wrong is refused with every reason, before anything is opened", async () => {
  const ended = await run(process.execPath, ["--disable-warning=ExperimentalWarning", "control/src/main.ts"], {
    HOLDFAST_HTTP_PORT: "x",
    HOLDFAST_ENROLMENT_APPROVAL: "maybe",
  });
  expect(ended.code).toBe(78);
  expect(ended.stderr.trim().split("\n").length).toBe(2);
});

test("the doctor tries what is forbidden, leaves nothing behind, and sees an installation that was bent", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", ["view"]);
    const { rows } = await api.done(kim, "doctor");
    // A test's PostgreSQL is made to be fast, not to survive.
    expect(rows.filter((row) => !row.holds).map((row) => `${row.id}: ${row.evidence}`)).toEqual([
      expect.stringContaining("durability: "),
    ]);
    const evidence = new Map(rows.map((row) => [row.id, row.evidence]));
    expect(evidence.get("states")).toContain("READY to APPLIED: refused (illegal apply transition");
    expect(evidence.get("audit-append-only")).toMatch(/update: refused .* delete: refused .* truncate: refused/);
    expect(evidence.get("fences")).toContain("a lower fence: refused");
    for (const table of ["servers", "applies", "changes"]) {
      expect(await api.test.app.rows({ text: `select * from ${table}`, values: [] })).toEqual([]);
    }
    await api.test.owner.run({ text: "alter table servers disable trigger server_fence", values: [] });
    await api.test.owner.run({ text: "delete from apply_transitions where from_state = 'APPLIED'", values: [] });
    await api.test.owner.run({ text: "drop index one_open_apply", values: [] });
    const bent = (await api.done(kim, "doctor")).rows.filter((row) => !row.holds).map((row) => row.id);
    expect(bent).toEqual(["states", "one-at-a-time", "idempotency", "fences", "durability"]);
  });
});
