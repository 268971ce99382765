import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { newKey } from "./envelope.ts";
import { keySource, parseKeys } from "./key-source.ts";

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("keys are one a line; what is wrong is said without what was there", () => {
  const keys = [newKey(), newKey()];
  expect(parseKeys(`${keys.map((key) => key.toString("base64")).join("\n")}\n`)).toEqual({ ok: true, value: keys });
  expect(parseKeys("")).toEqual({ ok: true, value: [] });
  for (const wrong of ["hunter2", `${newKey().toString("base64")}AA`, newKey().toString("hex")]) {
    const refused = parseKeys(wrong);
    expect(refused.ok).toBe(false);
    expect(JSON.stringify(refused)).not.toContain(wrong);
  }
});

test("the file is made once, is its owner's alone, and one that others may read is not used", async () => {
  const folder = folderForTest();
  const source = keySource({ kind: "file" }, folder);
  const path = join(folder, "secrets.key");
  expect(await source.read()).toEqual({ ok: true, value: [] });
  await source.make?.();
  const first = readFileSync(path, "utf8");
  await source.make?.();
  expect(readFileSync(path, "utf8")).toBe(first);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const keys = [newKey(), newKey()];
  await source.replace?.(keys);
  expect(await source.read()).toEqual({ ok: true, value: keys });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  chmodSync(path, 0o640);
  expect(await source.read()).toMatchObject({ ok: false, error: expect.stringContaining("640") });
});

test("a program prints it, without a shell; what it prints when it fails is told to nobody", async () => {
  const folder = folderForTest();
  const key = newKey();
  const program = join(folder, "print key; touch owned");
  writeFileSync(program, `#!/bin/sh\necho ${key.toString("base64")}\n`, { mode: 0o700 });
  const source = keySource({ kind: "command", path: program }, folder);
  expect(await source.read()).toEqual({ ok: true, value: [key] });
  expect([source.make, source.replace]).toEqual([null, null]);
  writeFileSync(program, "#!/bin/sh\necho hunter2; echo hunter2 >&2; exit 3\n");
  const failed = await source.read();
  expect(failed).toEqual({ ok: false, error: "it failed (3)" });
  expect(existsSync(join(folder, "owned"))).toBe(false);
  expect(await keySource({ kind: "command", path: "/nowhere/at/all" }, folder).read()).toMatchObject({ ok: false });
});

test("the environment says it", async () => {
  const key = newKey();
  const source = keySource({ kind: "environment", text: key.toString("base64") }, "/nowhere");
  expect(await source.read()).toEqual({ ok: true, value: [key] });
});
