/** S12 with the saga, the database and the signer's socket: what it signs, what it refuses, and what an apply comes to when it is away or lies. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { UserId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { expect, test } from "vitest";
import { reachSigner } from "../src/signer/command-signer.ts";
import { factsOf } from "../src/signer/store/facts.ts";
import type { SignerAnswer } from "../src/signer/wire.ts";
import { Database } from "../src/store/database.ts";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";
import { insertUser } from "../src/store/users.ts";
import { type SagaHouse, withSagaHouse } from "./saga-house.ts";

const PATIENT = 60_000;
const away: SignerAnswer = { kind: "unavailable", code: "signer.trouble", message: "test" };

const signedOf = async (house: SagaHouse, ask: string): Promise<number> =>
  (await house.signing.record()).filter((line) => line["ask"] === ask && line["code"] === "ok").length;

test(
  "an apply goes through with every command signed once it is due, each in the signer's own record before it leaves",
  () =>
    withSagaHouse(async (house) => {
      const { server } = await house.agent("web-1", await house.instance());
      const ended = await house.ended((await house.apply(server)).id);
      expect(ended).toMatchObject({ state: "APPLIED" });
      const lines = await house.signing.record();
      expect(lines.map((line) => [line["ask"], line["code"]])).toEqual([
        ["prepare", "ok"],
        ["execute", "ok"],
        ["confirm", "ok"],
      ]);
      for (const line of lines)
        expect(line).toMatchObject({ server, request: ended.request_id, plan: expect.any(String) as string });
      // Nothing of it is signed again now that it has ended, whoever asks.
      const { commands } = house.authority;
      const of = { serverId: server, requestId: ended.request_id ?? "", fence: ended.fence ?? 0 };
      for (const wish of [
        { ask: "prepare", ...of, secrets: [] as never[] },
        { ask: "execute", ...of },
        { ask: "confirm", ...of },
        { ask: "abort", ...of, code: "x", message: "" },
      ] as const)
        expect(await commands.sign(wish)).toMatchObject({ kind: "refused", code: "signer.not_claimed" });
      expect(await commands.sign({ ask: "execute", ...of, requestId: newId() })).toMatchObject({
        code: "signer.unknown_request",
      });
      expect(await commands.sign({ ask: "release", ...of, reason: "", actor: "user/x" })).toMatchObject({
        code: "signer.not_locked",
      });
    }),
  PATIENT,
);

test.each(["prepare", "execute", "confirm"] as const)(
  "a signer that is away when %s is due holds the apply up and nothing else",
  (ask) =>
    withSagaHouse(async (house) => {
      const { server } = await house.agent("web-1", await house.instance(), { windowMs: 30_000 });
      let refusals = 0;
      house.signing.between.answer = (question, honest) => {
        if (question.ask !== ask || refusals >= 2) return honest();
        refusals += 1;
        return Promise.resolve(away);
      };
      expect(await house.ended((await house.apply(server, { windowSeconds: 60 })).id)).toMatchObject({
        state: "APPLIED",
      });
      expect(refusals).toBe(2);
      expect(await signedOf(house, ask)).toBe(1);
    }),
  PATIENT,
);

test(
  "a signer that answers with another command, another key or nonsense is not believed, and its next honest answer goes on",
  () =>
    withSagaHouse(async (house) => {
      const { server, agent } = await house.agent("web-1", await house.instance());
      const lies: ((honest: SignerAnswer) => SignerAnswer)[] = [
        (honest) => (honest.kind === "signed" ? { ...honest, signature: Buffer.alloc(64).toString("base64") } : honest),
        (honest) => (honest.kind === "signed" ? { ...honest, keyId: "0".repeat(16) } : honest),
        (honest) => ({ ...honest, kind: "what" }) as never,
      ];
      house.signing.between.answer = async (question, honest) => {
        const said = await honest();
        return question.ask === "prepare" ? (lies.shift()?.(said) ?? said) : said;
      };
      expect(await house.ended((await house.apply(server)).id)).toMatchObject({ state: "APPLIED" });
      expect(lies).toEqual([]);
      expect(agent.commands.filter(({ verb }) => verb.case === "prepare").length).toBe(1);
    }),
  PATIENT,
);

test(
  "S12: rows that a broken web process makes up are not signed: a plan whose text was changed, a rollout that nobody asked for",
  () =>
    withSagaHouse(async (house) => {
      const { server, agent } = await house.agent("web-1", await house.instance());
      const forge: readonly (readonly [string, string])[] = [
        [
          "update plans set config = config || ' ' where id = (select plan_id from applies where id = $1)",
          "signer.other_plan",
        ],
        [
          "delete from rollout_targets where rollout_id = (select rollout_id from applies where id = $1)",
          "signer.no_rollout",
        ],
      ];
      for (const [text, code] of forge) {
        let isForged = false;
        const apply = await house.apply(server);
        house.signing.between.answer = async (question, honest) => {
          if (question.ask === "prepare" && !isForged) {
            isForged = true;
            await house.test.owner.run({ text, values: [apply.id] });
          }
          return honest();
        };
        const ended = await house.ended(apply.id);
        expect(ended).toMatchObject({ state: "FAILED", effect: "none", server_is: "as_before", code });
      }
      expect(agent.commands.some(({ verb }) => verb.case === "prepare" || verb.case === "execute")).toBe(false);
    }),
  PATIENT,
);

test("its role reads what a command follows from, and can write nothing and read nothing else", async () => {
  await withDatabase(async (test_) => {
    const database = new Database(test_.signerTarget, () => undefined, 1);
    try {
      await database.rows(sql`select object, action, result_code from audit_log`);
      await database.rows(sql`select id, fence, enrolment, locked_code from servers`);
      await database.rows(sql`select id, disabled_at from users`);
      for (const text of [
        "select * from users",
        "select password_hash from users",
        "select * from tokens",
        "select * from secrets",
        "select * from audit_log",
        "select confirmed_config from servers",
        "update applies set fence = 9",
        "delete from approvals",
        "insert into approvals select gen_random_uuid(), gen_random_uuid(), 'x'",
        "create table holdfast.x (a int)",
      ])
        await expect(database.run({ text, values: [] }), text).rejects.toMatchObject({ code: "42501" });
    } finally {
      await database.close();
    }
  });
});

test("S14: the word of somebody who is shut out counts for what began while they were let in, and for nothing after", async () => {
  await withSagaHouse(async (house) => {
    const { server } = await house.agent("web-1", await house.instance());
    const apply = await house.apply(server, { touches: true, person: true });
    await house.until(apply.id, (row) => row.phase === "on_trial");
    const [sent] = await house.sent(apply.id);
    const second: UserId = newId();
    await house.do((tx) =>
      insertUser(tx, { id: second, name: "second", passwordHash: null, mustChange: false }, house.by),
    );
    await house.test.owner.run({
      text: "insert into holdfast.approvals (change_id, user_id, digest) select id, $2, digest from holdfast.changes where id = $1",
      values: [apply.change_id, second],
    });
    const counted = async (disabledAt: string | null): Promise<number> => {
      await house.do((tx) => tx.run(sql`update users set disabled_at = ${disabledAt} where id = ${second}`));
      return Number((await factsOf(house.database, sent?.request_id ?? ""))?.approvals);
    };
    expect(await counted(null)).toBe(1);
    expect(await counted("infinity")).toBe(1);
    expect(await counted("-infinity")).toBe(0);
    await house.wish(apply.id, "confirm");
    expect(await house.ended(apply.id)).toMatchObject({ state: "APPLIED" });
  });
}, 60_000);

test("how many approvals a rollout needed is never written anew", async () => {
  await withSagaHouse(async (house) => {
    const { id } = await house.database.one<{ id: string }>(
      sql`select rollout_id as id from applies where id = ${(await house.apply(await house.server("web-9"))).id}`,
    );
    const rewrite = house.test.app.run(sql`update rollouts set approvals_needed = 3 where id = ${id}`);
    await expect(rewrite).rejects.toMatchObject({ code: "HF004" });
  });
});

test(
  "as a process: its socket is 0660, its key 0600; what is no question is refused; a second one is refused; killed, it comes back with the same key",
  { timeout: PATIENT },
  async () => {
    await withDatabase(async (test_) => {
      if (test_.signerTarget.kind !== "socket") throw new Error("the test's database is reached by a socket");
      const { directory, database, user } = test_.signerTarget;
      const folder = await mkdtemp(join(tmpdir(), "holdfast-signer-"));
      const socket = join(folder, "socket");
      const start = () =>
        spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM], {
          env: {
            PATH: process.env["PATH"] ?? "",
            HOLDFAST_SIGNER_DIR: folder,
            HOLDFAST_SIGNER_SOCKET: socket,
            HOLDFAST_SIGNER_SUPERVISED: "yes",
            HOLDFAST_SIGNER_DATABASE_SOCKET: directory,
            HOLDFAST_SIGNER_DATABASE: database,
            HOLDFAST_SIGNER_ROLE: user,
          },
          stdio: ["pipe", "ignore", "ignore"],
        });
      const ended = (child: ReturnType<typeof start>) => new Promise((resolve) => child.on("exit", resolve));
      let child = start();
      try {
        const first = await reachSigner(socket, PATIENT / 3);
        if (!first.ok) throw new Error(first.error.message);
        expect(await first.value.trouble()).toBeNull();
        expect((await stat(socket)).mode & 0o777).toBe(0o660);
        expect((await stat(join(folder, "command-key.pem"))).mode & 0o777).toBe(0o600);
        expect(await say(socket, "sign me something\n")).toMatchObject({ kind: "refused", code: "signer.malformed" });
        expect(await say(socket, '{"ask":"sign","command":"AAAA"}\n')).toMatchObject({ code: "signer.malformed" });
        expect(await ended(start()), "the folder is taken").toBe(1);
        const gone = ended(child);
        child.kill("SIGKILL");
        await gone;
        expect(await first.value.trouble()).toMatch(/ECONNREFUSED|ENOENT/);
        child = start();
        expect(await reachSigner(socket, PATIENT / 3)).toMatchObject({ value: { keyId: first.value.keyId } });
        expect(await first.value.trouble()).toBeNull();
        // It ends when the process does that holds its input.
        const left = ended(child);
        child.stdin.end();
        expect(await left).toBe(0);
        expect(await readFile(join(folder, "command-key.pem"), "utf8")).toContain("PRIVATE KEY");
      } finally {
        child.kill("SIGKILL");
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);

const PROGRAM = fileURLToPath(new URL("../src/signer/signer-main.ts", import.meta.url));

function say(path: string, text: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(text));
    let said = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    socket.on("end", () => resolve(JSON.parse(said)));
    socket.on("error", reject);
  });
}
