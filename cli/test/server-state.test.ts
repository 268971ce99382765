import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

async function stateWith(observed: Json): Promise<string> {
  const digests = { liveDigest: "l", confirmedDigest: "c", drift: false, differences: [], error: "" };
  const domains = [{ domain: "system", observed, ...digests }];
  const at = "2026-01-02T03:04:00.000Z";
  api.on("GET /servers/web-1/live", { json: { at, generation: 1, bootId: "b", open: null, domains } });
  const { stdout, exitCode } = await runCli(["server", "state", "web-1"], { url: api.url });
  expect(exitCode).toBe(0);
  return stdout;
}

test("a server that waits to be restarted says for what", async () => {
  const text = await stateWith({
    restart: [
      { kind: "package", name: "libc6" },
      { kind: "package", name: "" },
      { kind: "kernel", runs: "6.1.0-30-amd64", next: "6.1.0-31-amd64" },
    ],
  });
  expect(text).toContain("restart wanted: libc6 asks for it\n");
  expect(text).toContain("restart wanted: a package that was upgraded asks for it\n");
  expect(text).toContain("restart wanted: the next boot starts the kernel 6.1.0-31-amd64; 6.1.0-30-amd64 runs now\n");
});

test.each([
  ["one for which nobody asks", { restart: [] }],
  ["an agent from before the question", {}],
])("%s is told without a word on restarts", async (_what, observed) => {
  expect(await stateWith(observed)).not.toContain("restart");
});

test("what others have set is told as it stands, and what is withheld, cut or unreadable is said", async () => {
  const digests = { observed: {}, liveDigest: "l", confirmedDigest: "c", drift: false, differences: [], error: "" };
  const blocks = [
    { source: "/etc/ssh/sshd_config", title: "UsePAM yes", text: "UsePAM yes\nBanner \u001b[31m\n" },
    { source: "/etc/swanctl/swanctl.conf", title: "secrets", text: null },
  ];
  const domains = [
    { domain: "system", ...digests, foreign: { blocks, left: 2, unreadable: ["nft list ruleset: no rights"] } },
    { domain: "vpn", ...digests, foreign: { blocks: [], left: 0, unreadable: [] } },
    // An agent from before it could say.
    { domain: "firewall", ...digests },
  ];
  const at = "2026-01-02T03:04:00.000Z";
  api.on("GET /servers/web-1/live", { json: { at, generation: 1, bootId: "b", open: null, domains } });
  const { stdout, exitCode } = await runCli(["server", "foreign", "web-1"], { url: api.url });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("## /etc/ssh/sshd_config\nUsePAM yes\nBanner ");
  expect(stdout).not.toContain("\u001b");
  expect(stdout).toContain("## /etc/swanctl/swanctl.conf: secrets … withheld, since it may hold a secret\n");
  expect(stdout).toContain("2 more: too large to be told\ncould not be read: nft list ruleset: no rights\n");
  expect(stdout).toContain("# vpn: nothing of others\n");
  expect(stdout).toContain("# firewall: its agent does not say\n");
});

test("a lost floor is said in plain words, with what the server did about it", async () => {
  const lost = [{ path: "table", expected: "the table inet holdfast", found: "no table inet holdfast" }];
  const floor = { lost, whenLost: "alarm", repairs: [], gaveUp: false };
  const digests = { liveDigest: "l", confirmedDigest: "c", drift: true, differences: [], error: "" };
  const domains = [{ domain: "firewall", observed: {}, ...digests, floor }];
  api.on("GET /servers/web-1/live", {
    json: { at: "2026-01-02T03:04:00.000Z", generation: 1, bootId: "b", open: null, domains },
  });
  const { stdout } = await runCli(["server", "state", "web-1"], { url: api.url });
  expect(stdout).toContain(
    "FLOOR LOST outside of any change: firewall: table: expected the table inet holdfast, found no table inet holdfast; its floor does not let the server put it back by itself\n",
  );
});
