import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readOrMakeSecret } from "../authority/key-file.ts";
import { COMMAND_KEY_FILE, changeCommandKey, isSignedCommand, openCommandKey } from "./command-key.ts";
import { chainIds, writeChain } from "./key-chain.ts";

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-command-key-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("each change makes one link more, which the key before has signed, and leaves one private key", async () => {
  const folder = await newFolder();
  const first = await openCommandKey(folder);
  expect(first.links).toEqual([]);
  const change = await changeCommandKey(folder);
  await changeCommandKey(folder);
  const now = await openCommandKey(folder);
  expect(change.from).toBe(first.keyId);
  expect(chainIds(now.links, now.publicKeyHex)).toEqual([first.keyId, change.to, now.keyId]);
  expect((await readdir(folder)).toSorted()).toEqual(["command-key.pem", "command-keys.json"]);
  const { command, signature } = now.sign({ serverId: "s" });
  expect(isSignedCommand(now.publicKeyHex, command, signature)).toBe(true);
  expect(isSignedCommand(first.publicKeyHex, command, signature)).toBe(false);
});

test("killed before the link nothing has happened; after it, whoever opens the key next ends the change", async () => {
  const folder = await newFolder();
  const first = await openCommandKey(folder);
  // A folder in which the next key is made already, as it is after the first step.
  const spare = await newFolder();
  const next = await openCommandKey(spare);
  await readOrMakeSecret(join(folder, "command-key.next.pem"), () => readFile(join(spare, COMMAND_KEY_FILE), "utf8"));
  expect((await openCommandKey(folder)).keyId).toBe(first.keyId);
  await writeChain(folder, [first.linkTo(next.publicKeyHex)]);
  expect((await openCommandKey(folder)).keyId).toBe(next.keyId);
  expect((await openCommandKey(folder)).links).toHaveLength(1);
  // The same key that waited is taken when it is run again after the first step.
  const again = await newFolder();
  await openCommandKey(again);
  await readOrMakeSecret(join(again, "command-key.next.pem"), () => readFile(join(spare, COMMAND_KEY_FILE), "utf8"));
  expect((await changeCommandKey(again)).to).toBe(next.keyId);
});

test("a key that its links do not lead to is refused, and so is a chain that somebody has written", async () => {
  const folder = await newFolder();
  await openCommandKey(folder);
  await copyFile(join(folder, COMMAND_KEY_FILE), join(folder, "old.pem"));
  await changeCommandKey(folder);
  const chain = await readFile(join(folder, "command-keys.json"), "utf8");
  const { links, publicKeyHex } = await openCommandKey(folder);
  expect(chainIds([...links, ...links], publicKeyHex)).toBeNull();
  const forged = chain.replace(/"signature": "(.)/, (_, first: string) => `"signature": "${first === "A" ? "B" : "A"}`);
  await writeFile(join(folder, "command-keys.json"), forged);
  await expect(openCommandKey(folder)).rejects.toThrow(/do not lead to its command-key\.pem/);
  await writeFile(join(folder, "command-keys.json"), chain);
  await copyFile(join(folder, "old.pem"), join(folder, COMMAND_KEY_FILE));
  await expect(openCommandKey(folder)).rejects.toThrow(/do not lead to its command-key\.pem/);
});

test("the program asks for --yes, and says what it did", async () => {
  const folder = await newFolder();
  const { keyId } = await openCommandKey(folder);
  const run = (...more: string[]) =>
    spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "change-key-main.ts"), ...more],
      { env: { ...process.env, HOLDFAST_SIGNER_DIR: folder }, encoding: "utf8" },
    );
  expect(run()).toMatchObject({ status: 64, stdout: "" });
  expect((await openCommandKey(folder)).keyId).toBe(keyId);
  const done = run("--yes");
  expect(done, done.stderr).toMatchObject({ status: 0 });
  const now = await openCommandKey(folder);
  expect(done.stdout).toContain(`The command key ${keyId} is gone; ${now.keyId} is in its place`);
});
