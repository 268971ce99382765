import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

const VALUE = "canary-5b1f0c6e-of-acme";
const AT = "2026-01-02T03:04:00.000Z";
const version = (number: number) => ({
  version: number,
  fingerprint: `${number}123456789abcdef`,
  madeBy: "kim",
  madeAt: AT,
});
const secret = (versions: number) => ({
  name: "acme",
  kind: "written",
  versions: Array.from({ length: versions }, (_, index) => version(index + 1)),
  usedBy: versions === 0 ? [] : [{ document: "Tunnel/acme-vpn", version: 1, as: "in_force" }],
  etag: String(versions),
});

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

test("a value comes from standard input or is typed twice unseen, and is printed nowhere", async () => {
  api
    .on("GET /secrets", { json: { items: [], nextCursor: null } }, { json: { items: [secret(1)], nextCursor: null } })
    .on("PUT /secrets/acme", { json: secret(1) }, { json: secret(2) });
  const piped = await runCli(["secret", "set", "acme"], { url: api.url, input: `${VALUE}\n` });
  const typed = await runCli(["secret", "set", "acme"], { url: api.url, typed: [VALUE, VALUE] });
  const sent = api.asked.filter(({ route }) => route === "PUT /secrets/acme");
  expect(sent.map(({ body, headers }) => [body, headers["if-match"]])).toEqual([
    [{ value: VALUE }, '"0"'],
    [{ value: VALUE }, '"1"'],
  ]);
  expect(piped.stdout).toContain('psk: "secret:acme"');
  expect(typed.stdout).toContain('psk: "secret:acme@2"');
  expect(piped.stdout + piped.stderr + typed.stdout + typed.stderr).not.toContain(VALUE);
});

test("two typed values that differ, and an empty input, change nothing; a value is no argument", async () => {
  api.on("GET /secrets", { json: { items: [], nextCursor: null } });
  expect((await runCli(["secret", "set", "acme"], { url: api.url, typed: [VALUE, "other"] })).exitCode).toBe(1);
  expect((await runCli(["secret", "set", "acme"], { url: api.url, input: "\n" })).exitCode).toBe(2);
  expect((await runCli(["secret", "set", "acme", VALUE], { url: api.url, input: VALUE })).exitCode).toBe(2);
  expect((await runCli(["secret", "set", `${VALUE}!`], { url: api.url, input: VALUE })).exitCode).toBe(2);
  expect(api.asked.filter(({ route }) => route.startsWith("PUT"))).toEqual([]);
});

test("the list shows each version with who names it, page by page", async () => {
  api.on(
    "GET /secrets",
    { json: { items: [secret(2)], nextCursor: "next" } },
    { json: { items: [{ ...secret(1), name: "tunnel.pair", kind: "generated" }], nextCursor: null } },
  );
  const { stdout } = await runCli(["secret", "list"], { url: api.url });
  expect(stdout).toMatch(/acme +1 +1123456789abcdef +kim .*Tunnel\/acme-vpn\n/);
  expect(stdout).toMatch(/acme +2 +2123456789abcdef +kim .*nobody\n/);
  expect(stdout).toContain("tunnel.pair");
});

test("delete says what was read, and rekey what was done", async () => {
  api
    .on("GET /secrets", { json: { items: [secret(3)], nextCursor: null } })
    .on("DELETE /secrets/acme", { json: { done: true } })
    .on("POST /secrets/rekey", { json: { keyId: "0123456789abcdef", wrapped: 4 } });
  expect((await runCli(["secret", "delete", "acme"], { url: api.url })).stdout).toBe("acme is deleted.\n");
  expect(api.asked.at(-1)?.headers["if-match"]).toBe('"3"');
  expect((await runCli(["secret", "rekey"], { url: api.url })).stdout).toContain("wrapped anew: 4.");
});
