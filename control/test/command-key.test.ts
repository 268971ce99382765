/** Another command key, from the house's side: who may start with it, who is led to it, and what is seen of that. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { expect, onTestFinished, test } from "vitest";
import { checkAuthority, type Authority } from "../src/authority/authority.ts";
import { leadToKey } from "../src/gateway/lead-to-key.ts";
import { changeCommandKey, type CommandKey, openCommandKey } from "../src/signer/command-key.ts";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";
import { EVERYTHING, withApi } from "./api-house.ts";
import { withSagaHouse } from "./saga-house.ts";

const LOG = pino({ level: "silent" });

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-command-key-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

const by = (authority: Authority, { publicKeyHex, keyId, links }: CommandKey): Authority => ({
  ...authority,
  commands: { ...authority.commands, publicKeyHex, keyId, links },
});

test("a house starts with a key that its first one leads to, writes it down once, and refuses an older one from then on", async () => {
  await withSagaHouse(async ({ database, authority }) => {
    const folder = await newFolder();
    const first = await openCommandKey(folder);
    const start = (key: CommandKey) => checkAuthority(database, by(authority, key), newId());
    expect(await start(first)).toEqual({ ok: true, value: null });
    const spare = await newFolder();
    await copyFile(join(folder, "command-key.pem"), join(spare, "command-key.pem"));
    await changeCommandKey(folder);
    const second = await openCommandKey(folder);
    for (let time = 0; time < 2; time++) expect(await start(second)).toEqual({ ok: true, value: null });
    expect(await start(first)).toMatchObject({ ok: false, error: { code: "authority.older_key" } });
    // Two that were made from the same one are two houses: only one of them is this one.
    await changeCommandKey(spare);
    expect(await start(await openCommandKey(spare))).toMatchObject({
      ok: false,
      error: { code: "authority.older_key" },
    });
    expect(await start(await openCommandKey(await newFolder()))).toMatchObject({
      ok: false,
      error: { code: "authority.other_keys" },
    });
    await changeCommandKey(folder);
    expect(await start(await openCommandKey(folder))).toEqual({ ok: true, value: null });
    const told = await database.rows<{ old: unknown; new: unknown }>(
      sql`select old, new from audit_log where action = 'authority.command_key_changed' order by id`,
    );
    expect(told[0]).toEqual({ old: { key_id: first.keyId }, new: { key_id: second.keyId } });
    expect(told).toHaveLength(2);
  });
});

test("an agent is led along all links when it trusts an older key; one that does not follow or is too old is known for it", async () => {
  const folder = await newFolder();
  const first = await openCommandKey(folder);
  await changeCommandKey(folder);
  const now = await openCommandKey(folder);
  const asked: number[] = [];
  const agent = (answer: () => string) => ({
    adoptKeys: async ({ links = [] }: { links?: readonly unknown[] }) => {
      asked.push(links.length);
      return { $typeName: "holdfast.v1.AdoptKeysResponse" as const, commandKeyId: answer() };
    },
  });
  const follows = agent(() => now.keyId);
  const lead = (said: string, client: object) => leadToKey(said, client as Parameters<typeof leadToKey>[1], now, LOG);
  expect(await lead(now.keyId, follows)).toBe(now.keyId);
  expect(await lead("", follows)).toBe("");
  expect(asked).toEqual([]);
  expect(await lead(first.keyId, follows)).toBe(now.keyId);
  expect(asked).toEqual([1]);
  const refuses = agent(() => {
    throw new Error("command_key.unknown");
  });
  expect(await lead("0123456789abcdef", refuses)).toBe("0123456789abcdef");
});

test("administrators see which servers obey the key of now", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const { keyId } = api.house.commandKey;
    const standing = async () => (await api.done(kim, "getCommandKey")).servers;
    expect(await api.done(kim, "getCommandKey")).toMatchObject({ keyId, keys: [keyId] });
    expect(await standing()).toEqual([{ server: "web-1", standing: "too_old", keyId: null, connected: true }]);
    for (const [said, expected] of [
      [keyId, "current"],
      ["0123456789abcdef", "other"],
    ] as const) {
      agent.commandKeyId = said;
      agent.cut();
      await api.until(async () => ((await standing())[0]?.standing === expected ? true : undefined), expected);
    }
    const lee = await api.account("lee", [{ permission: "admin", scope: { role: "web" }, domains: null }]);
    expect(await api.ask(lee, "getCommandKey")).toMatchObject({ status: 403 });
  });
});
