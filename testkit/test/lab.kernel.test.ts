import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Lab } from "../src/servers/lab.ts";
import { nodeBinary } from "../src/servers/machine.ts";
import { listenAll, tcpConnect } from "../src/servers/probes.ts";
import { until } from "../src/until.ts";
import { traces } from "./lab-traces.ts";

const directory = mkdtempSync("/var/tmp/holdfast-lab-test-");
const prefix = (purpose: string): string => `hft-${String(process.pid)}-${purpose}`;

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("several networks", () => {
  test("a server with two interfaces forwards, and a NAT box lets out and not in", async () => {
    await using lab = Lab.open({ prefix: prefix("nat"), directory });
    const wan = await lab.network({ name: "wan", subnet4: "203.0.113.0/24" });
    const lan = await lab.network({ name: "lan", subnet4: "192.168.7.0/24" });
    const site = await lab.network({ name: "site", subnet4: "10.9.0.0/24" });
    await lab.natBox({
      name: "nat",
      outside: { network: wan, interface: "wan", addresses: ["203.0.113.1"] },
      inside: { network: lan, interface: "lan", addresses: ["192.168.7.1"] },
    });
    const gateway = lab.server({
      name: "gw",
      kind: "plain",
      attachments: [
        { network: wan, interface: "wan", addresses: ["203.0.113.2"] },
        { network: site, interface: "lan", addresses: ["10.9.0.1"] },
      ],
      forwarding: true,
    });
    const hidden = lab.server({
      name: "hidden",
      kind: "plain",
      attachments: [{ network: lan, interface: "eth0", addresses: ["192.168.7.10"] }],
      routes: [{ to: "default", via: "192.168.7.1" }],
    });
    const outside = await lab.bare({
      name: "outside",
      attachments: [{ network: wan, interface: "eth0", addresses: ["203.0.113.9"] }],
      routes: [
        { to: "192.168.7.0/24", via: "203.0.113.1" },
        { to: "10.9.0.0/24", via: "203.0.113.2" },
      ],
    });
    const inner = await lab.bare({
      name: "inner",
      attachments: [{ network: site, interface: "eth0", addresses: ["10.9.0.5"] }],
      routes: [{ to: "default", via: "10.9.0.1" }],
    });
    await Promise.all([gateway.start(), hidden.start()]);
    await Promise.all([
      listenAll(outside, { tcp: [80] }),
      listenAll(hidden, { tcp: [80] }),
      listenAll(inner, { tcp: [80] }),
    ]);
    expect(await tcpConnect(hidden, "203.0.113.9", 80)).toBe("open");
    expect(await tcpConnect(outside, "192.168.7.10", 80, { timeoutMs: 300 })).toBe("timeout");
    expect(await tcpConnect(outside, "203.0.113.1", 80, { timeoutMs: 300 })).toBe("timeout");
    expect(await tcpConnect(outside, "10.9.0.5", 80)).toBe("open");
  }, 60_000);

  test("an address outside its network, a long interface name and a name used twice are refused", async () => {
    await using lab = Lab.open({ prefix: prefix("names"), directory });
    const lan = await lab.network({ name: "lan", subnet4: "10.1.0.0/24" });
    const refused = (make: () => Promise<unknown>): Promise<string> => make().then(() => "accepted", String);
    expect(
      await refused(() =>
        lab.bare({ name: "a", attachments: [{ network: lan, interface: "eth0", addresses: ["10.2.0.1"] }] }),
      ),
    ).toContain("not in 10.1.0.0/24");
    expect(
      await refused(() => lab.bare({ name: "b", attachments: [{ network: lan, interface: "sixteen-letters0" }] })),
    ).toContain("at most 15");
    expect(await refused(() => lab.network({ name: "lan" }))).toContain("exists already");
    expect(() => Lab.open({ prefix: lab.prefix, directory })).toThrow("in use by process");
  });
});

test("a kept disk goes on in the next lab, and is one lab's at a time; hidden directories are empty", async () => {
  const disk = join(directory, "kept-disk");
  const hidden = mkdtempSync(join(directory, "keys-"));
  writeFileSync(join(hidden, "key"), "secret");
  const spec = { name: "keeper", kind: "plain", attachments: [], keepDiskIn: disk } as const;
  let machineId: string;
  {
    await using lab = Lab.open({ prefix: prefix("keep"), directory, hidden: [hidden] });
    const server = lab.server(spec);
    await server.start();
    machineId = await server.must(["cat", "/etc/machine-id"]);
    await server.writeFile("/var/lib/holdfast/ledger", "generation 1");
    expect((await server.must(["ls", hidden])).trim()).toBe("");
    expect((await server.must(["ls", directory])).includes("kept-disk")).toBe(false);
    await using other = Lab.open({ prefix: prefix("other"), directory });
    await expect(other.server(spec).start()).rejects.toThrow("in use by process");
  }
  await using lab = Lab.open({ prefix: prefix("keep"), directory });
  const again = lab.server(spec);
  expect(await again.readFile("/var/lib/holdfast/ledger")).toBe("generation 1");
  await again.start();
  expect(await again.must(["cat", "/etc/machine-id"])).toBe(machineId);
}, 60_000);

test("a boot that fails says why, with the console", async () => {
  await using lab = Lab.open({ prefix: prefix("broken"), directory });
  const lan = await lab.network({ name: "lan" });
  const server = lab.server({ name: "broken", kind: "plain", attachments: [{ network: lan, interface: "eth0" }] });
  await server.writeFile("/bin/bash", "not a program", 0o755);
  await expect(server.start()).rejects.toThrow(/did not boot[^]*console[^]*bash/);
  expect(server.isUp).toBe(false);
}, 60_000);

describe("an owner that dies", () => {
  const script = join(directory, "owner.ts");
  const source = new URL("../src/servers/lab.ts", import.meta.url).pathname;

  async function startOwner(labPrefix: string): Promise<ReturnType<typeof spawn>> {
    writeFileSync(
      script,
      `
      import { Lab } from ${JSON.stringify(source)};
      const lab = Lab.open({ prefix: process.argv[2], directory: process.argv[3] });
      const lan = await lab.network({ name: "lan" });
      const at = [{ network: lan, interface: "eth0" }];
      await lab.bare({ name: "client", attachments: at }).then((node) => node.spawn(["sleep", "4747"]));
      await Promise.all([lab.server({ name: "one", kind: "systemd", attachments: at }).start(), lab.server({ name: "two", kind: "plain", attachments: at }).start()]);
      console.log("up");
      setInterval(() => undefined, 1_000);`,
    );
    const owner = spawn(nodeBinary, [script, labPrefix, directory], { stdio: ["ignore", "pipe", "inherit"] });
    await Promise.race([
      once(owner.stdout, "data"),
      once(owner, "exit").then(() => Promise.reject(new Error("the owner ended"))),
    ]);
    return owner;
  }

  test("by SIGTERM cleans up as it goes", async () => {
    const owner = await startOwner(prefix("term"));
    expect(traces(directory, prefix("term")).length).toBeGreaterThan(0);
    const ended = once(owner, "exit");
    owner.kill("SIGTERM");
    expect(await ended).toEqual([null, "SIGTERM"]);
    expect(traces(directory, prefix("term"))).toEqual([]);
  }, 60_000);

  test("by SIGKILL takes its servers with it, and the next lab removes the rest", async () => {
    const owner = await startOwner(prefix("kill"));
    const ended = once(owner, "exit");
    owner.kill("SIGKILL");
    await ended;
    await until(
      "the end of its processes",
      () => !traces(directory, prefix("kill")).some((trace) => trace.includes("nspawn") || trace.includes("lab-init")),
    );
    await using lab = Lab.open({ prefix: prefix("next"), directory });
    expect(traces(directory, prefix("kill"))).toEqual([]);
    expect(lab.prefix).toBe(prefix("next"));
  }, 60_000);
});
