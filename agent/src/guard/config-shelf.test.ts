import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOfText } from "../digest.ts";
import { writeTransaction } from "../ledger/transaction-file.ts";
import { ConfigShelf } from "./config-shelf.ts";

let snapshots = "";
beforeEach(() => {
  snapshots = mkdtempSync(join(tmpdir(), "holdfast-shelf-"));
});
afterEach(() => rmSync(snapshots, { recursive: true }));

function config(port: number): { readonly json: string; readonly digest: string } {
  const value: Json = {
    domains: { firewall: { port } },
    trial: { windowSeconds: 60, reconnectSeconds: 20 },
    managementPath: { controlPlane: [], inbound: [] },
    secrets: [],
  };
  const json = canonicalJson(value);
  return { json, digest: digestOfText(json) };
}

function value<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string },
): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

test("the same text is taken apart once, and a domain's part is written once", () => {
  const shelf = new ConfigShelf();
  const { json, digest } = config(443);
  const read = value(shelf.read(json, digest));
  expect(shelf.read(json, digest)).toEqual({ ok: true, value: read });
  expect(value(shelf.read(json, digest))).toBe(read);
  expect(read.textOf("firewall")).toBe('{"port":443}');
  expect(read.textOf("vpn")).toBe("null");
});

test("another text under a digest that is known is held to it all the same", () => {
  const shelf = new ConfigShelf();
  const { json, digest } = config(443);
  value(shelf.read(json, digest));
  expect(shelf.read(config(444).json, digest)).toEqual({
    ok: false,
    error: "the config's digest is not the one that was sent with it",
  });
});

test("what is on disk is read each time: damage is seen by whoever has it in memory too", () => {
  const shelf = new ConfigShelf();
  const { json, digest } = config(443);
  const manifest = writeTransaction(snapshots, "one", { configJson: json, snapshots: new Map() });
  const read = value(shelf.ofTransaction(snapshots, "one", manifest, digest));
  expect(value(shelf.ofTransaction(snapshots, "one", manifest, digest))).toBe(read);

  const file = join(snapshots, "one/transaction.json");
  writeFileSync(file, readFileSync(file, "utf8").replace("443", "444"));
  expect(shelf.ofTransaction(snapshots, "one", manifest, digest)).toMatchObject({ ok: false });
  rmSync(file);
  expect(shelf.ofTransaction(snapshots, "one", manifest, digest)).toEqual({ ok: false, error: `${file} is not there` });
});

test("a file that holds another config than the ledger names is refused, known or not", () => {
  const shelf = new ConfigShelf();
  const { json, digest } = config(443);
  const manifest = writeTransaction(snapshots, "one", { configJson: json, snapshots: new Map() });
  value(shelf.ofTransaction(snapshots, "one", manifest, digest));
  expect(shelf.ofTransaction(snapshots, "one", manifest, config(444).digest)).toMatchObject({ ok: false });
});

test("it keeps three, the latest", () => {
  const shelf = new ConfigShelf();
  const first = config(1);
  const read = value(shelf.read(first.json, first.digest));
  for (const port of [2, 3, 4]) value(shelf.read(config(port).json, config(port).digest));
  expect(value(shelf.read(first.json, first.digest))).not.toBe(read);
});
