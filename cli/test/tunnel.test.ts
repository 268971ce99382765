import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

const [EXAMPLE = ""] = readFileSync(
  new URL("../../domains/src/vpn/examples/seoul-busan.yaml", import.meta.url),
  "utf8",
).split("---\n");
const AT = "2026-01-02T03:04:00.000Z";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

function document(text: string | null, name = "seoul-busan") {
  return {
    kind: "Tunnel",
    name,
    revision: 4,
    text,
    author: "kim",
    at: AT,
    comment: "",
    digest: "d",
    etag: "e",
    deleted: text === null,
    inForceOn: [],
  };
}

function live(charon: unknown) {
  const domain = {
    domain: "vpn",
    observed: { ipsec: { charon } },
    liveDigest: "l",
    confirmedDigest: "c",
    drift: false,
    differences: [],
    error: "",
  };
  return { at: AT, generation: 1, bootId: "b", open: null, domains: [domain] };
}

const UP = {
  state: "up",
  sas: [
    {
      name: "holdfast-seoul-busan",
      state: "ESTABLISHED",
      remoteAddress: "198.51.100.7",
      establishedSeconds: 61,
      children: [{ state: "INSTALLED", bytesIn: 840, bytesOut: 168, rekeySeconds: 3000 }],
    },
  ],
};

test("both ends of a tunnel as they are now, also one that does not answer", async () => {
  api
    .on("GET /documents/Tunnel/seoul-busan", { json: document(EXAMPLE) })
    .on("GET /servers/gw-busan/live", { json: live(UP) })
    .on("GET /servers/gw-seoul/live", { json: live({ state: "down", why: "it does not run" }) });
  const { stdout, exitCode } = await runCli(["tunnel", "show", "seoul-busan"], { url: api.url });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("busan begins, strong-2026, clear text: block");
  expect(stdout).toMatch(
    /gw-busan +ESTABLISHED, INSTALLED for 61 s, new keys in 3000 s +198\.51\.100\.7 +840 bytes in/,
  );
  expect(stdout).toContain("strongSwan does not answer: it does not run");
});

test("the sheet for the other administrator says everything but the key", async () => {
  const external = EXAMPLE.replace("server: gw-busan", "external: true\n    identity: vpn.acme.example");
  api.on("GET /documents/Tunnel/seoul-busan", { json: document(external) });
  const { stdout } = await runCli(["tunnel", "sheet", "seoul-busan"], { url: api.url });
  expect(stdout).toMatch(/your end: identity +vpn\.acme\.example/);
  expect(stdout).toMatch(/our end: address +203\.0\.113\.10/);
  expect(stdout).toMatch(/who begins +your end/);
  expect(stdout).toMatch(/IKE proposals +aes256gcm16-prfsha384-ecp384/);
  expect(stdout).not.toContain("seoul-busan-1");
});

test("a tunnel that was deleted is said so", async () => {
  api.on("GET /documents/Tunnel/gone", { json: document(null, "gone") });
  const { stderr, exitCode } = await runCli(["tunnel", "show", "gone"], { url: api.url });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("was deleted in revision 4")]);
});

test("the list names both ends", async () => {
  const { text: _, ...summary } = document(EXAMPLE);
  api
    .on("GET /documents", {
      json: { items: [{ ...summary, inForceOn: [{ server: "gw-seoul", revision: 3 }] }], nextCursor: null },
    })
    .on("GET /documents/Tunnel/seoul-busan", { json: document(EXAMPLE) });
  const { stdout } = await runCli(["tunnel", "list"], { url: api.url });
  expect(stdout).toMatch(/seoul-busan +4 +busan \(gw-busan\) – seoul \(gw-seoul\) +gw-seoul \(r3\)/);
});
