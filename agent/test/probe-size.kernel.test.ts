import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

let lab: Lab;
let server: LabServer;
let other: LabServer;

const NEAR = { 4: "10.22.0.20", 6: "fd00:22::20" } as const;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfp-${process.pid}` });
  const lan = await lab.network({ name: "lan", subnet4: "10.22.0.0/24", subnet6: "fd00:22::/64" });
  const at = (...addresses: readonly string[]) => [{ network: lan, interface: "eth0", addresses: [...addresses] }];
  server = lab.server({ name: "web", kind: "plain", attachments: at("10.22.0.10", "fd00:22::10") });
  other = lab.server({ name: "far", kind: "plain", attachments: at(NEAR[4], NEAR[6]) });
  await server.start();
  await other.start();
});
afterAll(async () => {
  await lab.close();
});

async function probed(address: string): Promise<{ readonly result: string; readonly detail: string }> {
  const program = [
    server.nodeBinary,
    "--disable-warning=ExperimentalWarning",
    `${server.repo}/agent/test/probe-main.ts`,
  ];
  return JSON.parse(await server.must([...program, address])) as { result: string; detail: string };
}

test.each([4, 6] as const)(
  "IPv%d: a way that lets small packets through and swallows large ones is found, and nothing else is",
  async (family) => {
    const address = NEAR[family];
    expect(await probed(address)).toMatchObject({ result: "open", detail: "" });
    // The other end takes no more than 1400 bytes and says nothing: a black hole for what is larger.
    await other.must(["ip", "link", "set", "eth0", "mtu", "1400"]);
    expect(await server.exec(["ping", "-n", "-c", "1", "-W", "1", address])).toMatchObject({ code: 0 });
    expect(await probed(address)).toEqual({
      id: "size",
      result: "closed",
      detail: "small packets come back, those of 1500 bytes do not",
    });
    // This end knows it: what is sent is no larger.
    await server.must(["ip", "link", "set", "eth0", "mtu", "1400"]);
    expect(await probed(address)).toMatchObject({ result: "open", detail: "" });
    await server.must(["ip", "link", "set", "eth0", "mtu", "1500"]);
    await other.must(["ip", "link", "set", "eth0", "mtu", "1500"]);
  },
);

test("where no echo comes back at all nothing is said of sizes, nor of what does not leave the server", async () => {
  expect(await probed("10.22.0.99")).toMatchObject({ result: "open", detail: expect.stringContaining("no echo") });
  expect(await probed("127.0.0.1")).toMatchObject({
    result: "open",
    detail: expect.stringContaining("does not leave"),
  });
});
