import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canRunServers } from "../src/servers/capability.ts";
import { must } from "../src/servers/child.ts";
import { Lab } from "../src/servers/lab.ts";
import type { LabNode } from "../src/servers/node.ts";
import { listenAll, listenCommand, ping, sendPacketProbes, tcpConnect, udpEcho } from "../src/servers/probes.ts";
import { Relay } from "../src/servers/relay.ts";
import type { LabServer } from "../src/servers/server.ts";
import { Flood, HttpClientLoop, PersistentTcp } from "../src/servers/traffic.ts";
import { until } from "../src/until.ts";
import { traces } from "./lab-traces.ts";

const directory = mkdtempSync("/var/tmp/holdfast-lab-test-");
const prefix = (purpose: string): string => `hft-${String(process.pid)}-${purpose}`;

const machineLinks = (): Promise<string> => must(["ip", "-o", "-br", "link"]);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("this machine can run servers of both kinds", async () => {
  expect(await canRunServers(directory)).toEqual({ systemd: true, plain: true, reason: "" });
});

describe("servers on one network", () => {
  let lab: Lab;
  let web: LabServer;
  let gateway: LabServer;
  let plain: LabServer;
  let client: LabNode;
  let linksBefore: string;

  beforeAll(async () => {
    linksBefore = await machineLinks();
    lab = Lab.open({ prefix: prefix("main"), directory });
    const lan = await lab.network({ name: "lan", subnet4: "10.77.0.0/24", subnet6: "fd77::/64" });
    const at = (host: number) => [
      { network: lan, interface: "eth0", addresses: [`10.77.0.${String(host)}`, `fd77::${String(host)}`] },
    ];
    web = lab.server({ name: "web-1", kind: "systemd", attachments: at(1) });
    gateway = lab.server({
      name: "gw-1",
      kind: "systemd",
      attachments: at(2),
      addressing: "networkd",
      enable: ["ssh"],
    });
    plain = lab.server({ name: "plain-1", kind: "plain", attachments: at(3) });
    const began = performance.now();
    await Promise.all([web.start(), gateway.start(), plain.start()]);
    process.stdout.write(`three servers up after ${String(Math.round(performance.now() - began))} ms\n`);
    client = await lab.bare({ name: "client", attachments: at(9) });
  }, 120_000);

  afterAll(async () => {
    await lab.close();
    await lab.close();
    expect(traces(directory, lab.prefix)).toEqual([]);
    expect(await machineLinks()).toBe(linksBefore);
  }, 60_000);

  const both = (): readonly LabServer[] => [web, plain];
  const all = (): readonly LabServer[] => [web, gateway, plain];

  test("the machine's own network namespace shows nothing of it", async () => {
    expect(await machineLinks()).toBe(linksBefore);
  });

  test("each is a machine of its own that sees the checkout read-only", async () => {
    const ids = new Set<string>();
    for (const server of all()) {
      expect((await server.must(["hostname"])).trim()).toBe(server.name);
      ids.add((await server.must(["cat", "/etc/machine-id"])).trim());
      expect((await server.must([server.nodeBinary, "-e", "console.log(process.pid > 1)"])).trim()).toBe("true");
      expect((await server.must(["cat", `${server.repo}/package.json`])).includes("holdfast")).toBe(true);
      expect((await server.exec(["touch", `${server.repo}/written`])).code).not.toBe(0);
      expect((await server.exec(["ls", "/var/lib/holdfast", "/run/holdfast"])).stdout).toBe("");
    }
    expect(ids.size).toBe(3);
    expect((await web.must(["cat", "/proc/1/comm"])).trim()).toBe("systemd");
    expect((await web.must(["systemctl", "is-system-running"])).trim()).toBe("running");
  });

  test("a server cannot reach the machine's clock or kernel settings", async () => {
    for (const server of both()) {
      expect((await server.exec(["date", "--set", "2001-01-01"])).code).not.toBe(0);
      expect((await server.exec(["sysctl", "-w", "kernel.printk=1"])).code).not.toBe(0);
      expect((await server.exec(["sysctl", "-w", "net.ipv4.ip_forward=1"])).code).toBe(0);
    }
    expect(new Date().getFullYear()).toBeGreaterThan(2001);
  });

  test("exec passes input and environment, gives exit codes, and ends what takes too long, inside too", async () => {
    for (const server of both()) {
      expect(
        await server.exec(["sh", "-c", 'cat; echo "$COLOUR" >&2; exit 7'], { input: "in", env: { COLOUR: "blue" } }),
      ).toEqual({ code: 7, stdout: "in", stderr: "blue\n", timedOut: false });
      expect((await server.exec(["sleep", "4242"], { timeoutMs: 300 })).timedOut).toBe(true);
      await until("the end of the command", async () => (await server.pidsOf("^sleep 4242")).length === 0);
    }
  });

  test("a process in a server can be found, killed, and stopped", async () => {
    for (const server of both()) {
      const sleeper = server.spawn(["sleep", "4343"]);
      await until("the process", async () => (await server.pidsOf("^sleep 4343")).length === 1);
      await server.kill(await server.pidsOf("^sleep 4343"), "SIGKILL");
      expect((await sleeper.ended).code).toBe(137);
      const other = server.spawn(["sleep", "4444"]);
      await until("the process", async () => (await server.pidsOf("^sleep 4444")).length === 1);
      await other.stop();
      expect(await server.pidsOf("^sleep 4444")).toEqual([]);
    }
  });

  test("ping, TCP and UDP in both families; silence, refusal and an open port are told apart", async () => {
    const listener = await listenAll(plain, { tcp: [80, 81, 82], udp: [53] });
    expect(await ping(client, "10.77.0.1", { count: 2 })).toEqual({ sent: 2, received: 2 });
    expect((await ping(client, "10.77.0.2")).received).toBe(1);
    expect((await ping(web, "fd77::3")).received).toBe(1);
    expect((await ping(client, "10.77.0.77")).received).toBe(0);
    await plain.must(["nft", "-f", "-"], {
      input:
        "table inet t { chain input { type filter hook input priority 0; tcp dport 82 drop\n udp dport 54 drop\n tcp dport 83 reject with icmpx admin-prohibited\n }\n }",
    });
    expect(await tcpConnect(client, "fd77::3", 81)).toBe("open");
    expect(
      await sendPacketProbes(client, [
        { protocol: "tcp", address: "10.77.0.3", port: 80, sourcePort: 5555 },
        { protocol: "tcp", address: "10.77.0.3", port: 82, timeoutMs: 300 },
        { protocol: "tcp", address: "10.77.0.3", port: 83 },
        { protocol: "tcp", address: "10.77.0.3", port: 84 },
        { protocol: "udp", address: "10.77.0.3", port: 53 },
        { protocol: "udp", address: "10.77.0.3", port: 54, timeoutMs: 300 },
        { protocol: "udp", address: "10.77.0.3", port: 55 },
        { protocol: "icmp", address: "10.77.0.3" },
      ]),
    ).toEqual(["open", "timeout", "unreachable", "refused", "open", "timeout", "refused", "open"]);
    await plain.must(["nft", "delete", "table", "inet", "t"]);
    await listener.stop();
    expect(await udpEcho(client, "10.77.0.3", 53)).toBe("refused");
  });

  test("nftables, transient units, timers and unit kills work", async () => {
    for (const server of all()) {
      await server.must(["nft", "add", "table", "inet", "mine"]);
      expect((await server.must(["nft", "list", "tables"])).trim()).toBe("table inet mine");
    }
    await web.must([
      "systemd-run",
      "--on-active=100ms",
      "--timer-property=AccuracySec=10ms",
      "touch",
      "/run/timer-fired",
    ]);
    await until("the timer", async () => (await web.readFile("/run/timer-fired")) !== undefined);
    await web.must(["systemd-run", "--unit=long", "sleep", "4545"]);
    await web.killUnit("long");
    await until(
      "the end of the unit",
      async () => (await web.exec(["systemctl", "is-failed", "long"])).stdout.trim() === "failed",
    );
  });

  test("an enabled unit starts with the server, under a host key of its own, and one that was not asked for does not", async () => {
    expect(await tcpConnect(client, "10.77.0.2", 22)).toBe("open");
    expect(await tcpConnect(client, "10.77.0.1", 22)).toBe("refused");
    expect((await gateway.must(["sh", "-c", "ls /etc/ssh/ssh_host_*_key"])).trim()).toBe(
      "/etc/ssh/ssh_host_ed25519_key",
    );
  });

  test("networkd configures the addresses from files of the server's own", async () => {
    expect(
      (await gateway.must(["networkctl", "--no-pager", "status", "eth0"])).includes(
        "/etc/systemd/network/10-eth0.network",
      ),
    ).toBe(true);
    expect((await gateway.must(["ip", "-br", "address", "show", "eth0"])).includes("10.77.0.2/24")).toBe(true);
  });

  test("a reboot keeps the disk and forgets the kernel", async () => {
    for (const server of all()) {
      await server.writeFile("/etc/holdfast-test/a file", "kept", 0o600);
      await server.must(["nft", "add", "table", "inet", "gone"]);
      const bootId = await server.must(["cat", "/proc/sys/kernel/random/boot_id"]);
      await server.reboot();
      expect(await server.readFile("/etc/holdfast-test/a file")).toBe("kept");
      expect((await server.must(["stat", "-c", "%a", "/etc/holdfast-test/a file"])).trim()).toBe("600");
      expect(await server.must(["nft", "list", "ruleset"])).toBe("");
      expect(await server.must(["cat", "/proc/sys/kernel/random/boot_id"])).not.toBe(bootId);
      expect(
        (await ping(client, server === web ? "10.77.0.1" : server === gateway ? "fd77::2" : "10.77.0.3")).received,
      ).toBe(1);
    }
  });

  test("a reboot from inside brings the server back", async () => {
    const before = web.boots;
    await web.exec(["systemd-run", "--no-block", "systemctl", "reboot"]);
    await until("the boot", () => web.boots === before + 1);
    await web.waitUp();
    expect((await ping(client, "10.77.0.1")).received).toBe(1);
  });

  test("a power cut ends everything at once and keeps the disk", async () => {
    for (const server of all()) {
      const sleeper = server.spawn(["sh", "-c", "trap 'echo saw it >/etc/saw-the-end' EXIT; sleep 4646"]);
      await server.writeFile("/etc/before-cut", "kept");
      await server.cut();
      expect(server.isUp).toBe(false);
      expect((await sleeper.ended).code).not.toBe(0);
      await expect(server.exec(["true"])).rejects.toThrow("is off");
      await server.writeFile("/etc/while-off", "written");
      await server.startAgain();
      expect(await server.readFile("/etc/before-cut")).toBe("kept");
      expect(await server.readFile("/etc/while-off")).toBe("written");
      expect(await server.readFile("/etc/saw-the-end")).toBeUndefined();
    }
  });

  test("an established connection reports the time in which a rule held it", async () => {
    await web.must(["systemd-run", "--unit=echo", ...listenCommand({ tcp: [7], http: [80], page: "hello" })]);
    await until("the listener", async () => (await tcpConnect(client, "10.77.0.1", 80)) === "open");
    const session = await PersistentTcp.start(client, { address: "10.77.0.1", port: 7, everyMs: 20 });
    const visitor = await HttpClientLoop.start(client, { url: "http://10.77.0.1/", everyMs: 50, timeoutMs: 200 });
    const flood = await Flood.start(client, {
      protocol: "tcp",
      address: "10.77.0.1",
      port: 7,
      perSecond: 100,
      timeoutMs: 200,
    });
    await until("echoes", async () => (await session.report()).echoed > 5);
    await web.must(["nft", "-f", "-"], {
      input: "table inet cut { chain input { type filter hook input priority 0; policy drop;\n }\n }",
    });
    await until("a failed fetch", () => visitor.samples.some((sample) => !sample.ok));
    await until("a lost connection", async () => (await flood.report()).lost > 0);
    await web.must(["nft", "delete", "table", "inet", "cut"]);
    await until("the session to go on", async () => {
      const report = await session.report();
      return report.gaps.length > 0 && report.echoed > 10;
    });
    await until("a fetch again", () => visitor.samples.at(-1)?.ok === true);
    const ended = await session.stop();
    expect(ended.state).toBe("open");
    expect(ended.longestGapMs).toBeGreaterThan(100);
    expect((await visitor.stop()).filter((sample) => sample.status === 200).length).toBeGreaterThan(0);
    const counted = await flood.stop();
    expect(counted.pending).toBe(0);
    expect(counted.answered + counted.lost).toBe(counted.sent);
    expect(counted.errors["timeout"]).toBeGreaterThan(0);
  });

  test("a cable can be pulled, and can go silent while the link stays up", async () => {
    const carrier = async (): Promise<string> => (await plain.must(["cat", "/sys/class/net/eth0/carrier"])).trim();
    await plain.setCable("eth0", "silent");
    expect(await carrier()).toBe("1");
    expect((await ping(client, "10.77.0.3", { timeoutMs: 300 })).received).toBe(0);
    await plain.setCable("eth0", "unplugged");
    expect(await carrier()).toBe("0");
    await plain.setCable("eth0", "plugged");
    await until("the answer", async () => (await ping(client, "10.77.0.3")).received === 1);
  });

  test("relays join the lab with a listener of this machine, both ways", async () => {
    const page = createHttpServer((_request, response) => response.end("from the machine")).listen(0, "127.0.0.1");
    await once(page, "listening");
    const bound = page.address();
    if (bound === null || typeof bound === "string") throw new Error("no port");
    const out = await Relay.outOf(
      lab,
      client,
      { host: "10.77.0.9", port: 8080 },
      { host: "127.0.0.1", port: bound.port },
    );
    const fetched = await web.must([
      web.nodeBinary,
      "-e",
      "fetch('http://10.77.0.9:8080/').then((r) => r.text()).then((t) => process.stdout.write(t))",
    ]);
    expect(fetched).toBe("from the machine");
    const listener = await listenAll(plain, { http: [8081], page: "from the lab" });
    const spare = createHttpServer().listen(0, "127.0.0.1");
    await once(spare, "listening");
    const free = spare.address();
    spare.close();
    if (free === null || typeof free === "string") throw new Error("no port");
    const into = await Relay.into(lab, { host: "127.0.0.1", port: free.port }, client, {
      host: "10.77.0.3",
      port: 8081,
    });
    expect(await (await fetch(`http://127.0.0.1:${String(free.port)}/`)).text()).toBe("from the lab");
    await Promise.all([out.close(), into.close(), listener.stop()]);
    page.close();
  });
});
