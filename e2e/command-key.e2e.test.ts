/** Another command key, on real servers: led to it when they connect, also over two changes; the old one commands nobody who has moved on. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connectUnix } from "@holdfast/agent/os/sockets.ts";
import { clientOver } from "@holdfast/agent/rpc/http2-transport.ts";
import { codeOf } from "@holdfast/agent/rpc/refusal.ts";
import { COMMAND_LIFE_MS, type CommandKey, openCommandKey } from "@holdfast/control/signer/command-key.ts";
import { sql } from "@holdfast/control/store/sql.ts";
import { commandKeySchema } from "@holdfast/core/api/command-key.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { policyText, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { repository } from "@holdfast/testkit/servers/machine.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import { expect, test } from "vitest";
import { applyPlanned, endOf, planOn } from "./one-apply.ts";

/** Two servers are enrolled, and the control plane starts three times. */
const PATIENT_MS = 400_000;
const SEEN_WITHIN_MS = 60_000;

async function changeKey(house: House): Promise<CommandKey> {
  await house.stopControls();
  const folder = join(house.dataOf(0), "signer");
  const done = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(repository, "control/src/signer/change-key-main.ts"), "--yes"],
    { env: { ...process.env, HOLDFAST_SIGNER_DIR: folder }, encoding: "utf8" },
  );
  expect(done.status, done.stderr).toBe(0);
  const key = await openCommandKey(folder);
  await house.startControl();
  return key;
}

async function standing(house: House): Promise<Readonly<Record<string, string>>> {
  const { servers } = await house.operator.call("getCommandKey", { answer: commandKeySchema });
  return Object.fromEntries(servers.map((one) => [one.server, one.standing]));
}

async function untilStanding(house: House, expected: Readonly<Record<string, string>>): Promise<void> {
  let last = {};
  await until(
    () => `${JSON.stringify(expected)}; the last that was seen: ${JSON.stringify(last)}`,
    async () => {
      last = await standing(house).catch(() => last);
      return JSON.stringify(last) === JSON.stringify(expected);
    },
    SEEN_WITHIN_MS,
    ASK_API_EVERY_MS,
  );
}

async function applies(house: House, server: HouseServer, port: number): Promise<void> {
  const inbound = { ...USUAL_RULES, more: `allow: tcp/${port}, from: any` };
  const change = await planOn(house, server, policyText({ server: server.name, inbound }));
  const { applyId } = await applyPlanned(house, server, change);
  const end = await endOf(house, applyId);
  expect(end, JSON.stringify(end)).toMatchObject({ state: "APPLIED", server_is: "as_requested" });
}

/** What the guard itself answers to somebody who has its socket and a key. */
async function guardOf<T>(server: HouseServer, ask: (guard: ReturnType<typeof guardClient>) => Promise<T>) {
  const socket = await connectUnix(`/proc/${String(server.machine.initPid)}/root/run/holdfast/guard.sock`);
  if (socket === null) throw new Error(`the guard of ${server.name} does not listen`);
  const connection = clientOver(socket);
  try {
    return await ask(guardClient(connection.transport)).catch((error: unknown) =>
      codeOf(ConnectError.from(error, Code.Unknown)),
    );
  } finally {
    connection.close();
  }
}

function guardClient(transport: ReturnType<typeof clientOver>["transport"]) {
  return createClient(GuardService, transport);
}

async function commandedBy(house: House, server: HouseServer, key: CommandKey): Promise<unknown> {
  const { id } = await house.database.one<{ id: string }>(sql`select id from servers where name = ${server.name}`);
  const command = key.sign({
    serverId: id,
    requestId: "01900000-0000-7000-8000-000000000001",
    fence: 1n,
    expiresAtMs: BigInt(Date.now() + COMMAND_LIFE_MS),
    verb: { case: "execute", value: { nonce: "00" } },
  });
  return guardOf(server, async (guard) => {
    await guard.submit({ command, sessionMonotonicNs: process.hrtime.bigint() });
    return "obeyed";
  });
}

test(
  "S12: servers are led to another command key as they connect, one that was away over two changes as well, and the old ones command nobody",
  async () => {
    await using house = await House.open({
      servers: [
        { name: "web-1", kind: "systemd" },
        { name: "gw-1", kind: "systemd" },
      ],
    });
    const [here, away] = [house.server("web-1"), house.server("gw-1")];
    const first = await openCommandKey(join(house.dataOf(0), "signer"));
    await untilStanding(house, { "gw-1": "current", "web-1": "current" });

    await away.agent.stop();
    const second = await changeKey(house);
    await untilStanding(house, { "gw-1": "behind", "web-1": "current" });
    await applies(house, here, 9091);

    // The key that was left behind: it commands nothing, and leads nobody elsewhere. The one of now is known, whatever else is wrong.
    expect(await commandedBy(house, here, first)).toBe("command.signature");
    expect(await commandedBy(house, here, second)).toBe("guard.not_prepared");
    const astray = first.linkTo(second.publicKeyHex.replace(/^../, "00"));
    const links = [astray].map(({ previous, next, signature }) => ({
      previousKey: Buffer.from(previous, "hex"),
      nextKey: Buffer.from(next, "hex"),
      signature: Buffer.from(signature, "base64"),
    }));
    const lead = async (): Promise<unknown> =>
      guardOf(here, async (guard) => (await guard.adoptKeys({ links })).commandKeyId);
    expect(await lead()).toBe("command_key.unknown");
    // It is written down: a guard that was killed knows it again.
    here.kill("guard");
    expect(await guardOf(here, async (guard) => (await guard.describe({})).commandKeyId)).toBe(second.keyId);

    const third = await changeKey(house);
    expect(third.links).toHaveLength(2);
    await untilStanding(house, { "gw-1": "behind", "web-1": "current" });
    await away.agent.restart();
    await untilStanding(house, { "gw-1": "current", "web-1": "current" });
    await applies(house, away, 9092);
    await applies(house, here, 9093);
    expect(await commandedBy(house, away, first)).toBe("command.signature");
    expect(await commandedBy(house, away, second)).toBe("command.signature");
    const told = await house.database.rows<{ id: string }>(
      sql`select new ->> 'key_id' as id from audit_log where action = 'authority.command_key_changed' order by id`,
    );
    expect(told.map(({ id }) => id).toSorted()).toEqual([second.keyId, third.keyId].toSorted());
  },
  PATIENT_MS,
);
