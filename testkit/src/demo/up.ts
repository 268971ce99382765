import { mkdirSync } from "node:fs";
import path from "node:path";
import { installAgent } from "../agents/install-agent.ts";
import { canRunServers } from "../servers/capability.ts";
import { Lab } from "../servers/lab.ts";
import { repository } from "../servers/machine.ts";
import { listenCommand } from "../servers/probes.ts";
import { Relay } from "../servers/relay.ts";
import { startControlPlane } from "./control-plane.ts";
import { openDemoSocket } from "./demo-socket.ts";
import { applyFirstDocuments, DemoRecord, signIn } from "./first-start.ts";
import { acts } from "./five-minute-story.ts";
import { buildTopology, CONTROL_ADDRESS, type DemoServer } from "./topology.ts";
import { startVisitor } from "./visitor.ts";

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

await up();

/** `make up`: control plane, console and three real servers, until SIGINT or SIGTERM. */
async function up(): Promise<void> {
  const data = path.resolve(process.env["HOLDFAST_DATA_DIR"] ?? path.join(repository, ".holdfast"));
  const port = {
    http: portOf("HOLDFAST_HTTP_PORT", 7080),
    agent: portOf("HOLDFAST_AGENT_PORT", 7081),
    metrics: portOf("HOLDFAST_METRICS_PORT", 7082),
  };
  const url = `http://127.0.0.1:${port.http}`;
  mkdirSync(data, { recursive: true, mode: 0o755 });

  const able = await canRunServers();
  const kind = able.systemd ? "systemd" : able.plain ? "plain" : null;
  if (kind === null) {
    say(`The demo servers cannot run here: ${able.reason}`);
    say("To run the control plane alone: node control/src/main.ts");
    process.exitCode = 1;
    return;
  }

  const stop = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.resolve());

  const began = performance.now();
  say("Building the demo: a street with three servers, in namespaces of this machine …");
  await using lab = Lab.open({ prefix: "hfdemo", hidden: [data] });
  const street = await buildTopology(lab, kind, (server) => path.join(data, "demo", "disks", server));
  const record = new DemoRecord(path.join(data, "demo"));

  const relays: Relay[] = [];
  const databaseUrl = await reachDatabase(process.env["DATABASE_URL"]);
  const ownerUrl = await reachDatabase(process.env["HOLDFAST_DATABASE_OWNER_URL"]);
  const control = startControlPlane(
    street.control,
    {
      HOLDFAST_DATA_DIR: data,
      HOLDFAST_HTTP_PORT: String(port.http),
      HOLDFAST_AGENT_PORT: String(port.agent),
      HOLDFAST_METRICS_PORT: String(port.metrics),
      HOLDFAST_AGENT_NAMES: CONTROL_ADDRESS,
      HOLDFAST_PUBLIC_URL: url,
      HOLDFAST_ENROLMENT_APPROVAL: "off",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(ownerUrl === undefined ? {} : { HOLDFAST_DATABASE_OWNER_URL: ownerUrl }),
    },
    say,
  );
  try {
    for (const one of [port.http, port.metrics]) {
      relays.push(
        await Relay.into(lab, { host: "127.0.0.1", port: one }, street.control, { host: "127.0.0.1", port: one }),
      );
    }
    const [signedIn] = await Promise.all([
      control.ready(url).then(() => signIn(url, control, record)),
      ...street.servers.map((server) => server.machine.start()),
    ]);
    const { operator, login } = signedIn;
    await Promise.all(street.servers.map((server) => serveDemoPage(server)));

    const known = await operator.servers();
    for (const server of street.servers) {
      const enrolled = known.some((one) => one.name === server.name && one.enrolment === "enrolled");
      await installAgent(server.machine, enrolled ? null : await operator.expectServer(server.name, server.labels));
    }
    await operator.waitConnected(street.servers.map((server) => server.name));
    await applyFirstDocuments(operator, record);
    const visitor = await startVisitor(street.visitor);
    const door = await openDemoSocket(path.join(data, "demo", "demo.sock"), {
      status: () => ({ url, token: operator.token, server: "web-1", acts: acts() }),
      fetches: () => visitor.fetches,
      killControlPlane: () => control.kill(),
    });

    say("");
    say(`Console:  ${url}`);
    if (login !== null) say(`Login:    ${login.user} / ${login.password}`);
    say(
      `Servers:  ${street.servers.map((server) => `${server.name} (${server.machine.kind})`).join(", ")}; ready after ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    say("Try:      bin/holdfast demo lockout      cut a server off twice and watch it come back by itself");
    say("Stop:     Ctrl-C; the data stays for the next time");

    await stop.promise;
    say("\nStopping …");
    door.close();
    await visitor.stop();
    await Promise.all(street.servers.map((server) => server.machine.stop()));
  } finally {
    await control.stop();
    await Promise.allSettled(relays.map((relay) => relay.close()));
  }

  /** A database on this machine's own network is brought into the lab by a relay; a socket file is reached as it is. */
  async function reachDatabase(given: string | undefined): Promise<string | undefined> {
    if (given === undefined || given === "") return undefined;
    const target = new URL(given);
    if (target.hostname === "") return given;
    const port = Number(target.port === "" ? "5432" : target.port);
    relays.push(await Relay.outOf(lab, street.control, { host: "127.0.0.1", port }, { host: target.hostname, port }));
    target.hostname = "127.0.0.1";
    return target.toString();
  }
}

/** web-1 has a page to fetch, as a service of its own: it comes back with the server. */
async function serveDemoPage(server: DemoServer): Promise<void> {
  if (server.name !== "web-1") return;
  const command = listenCommand({ http: [80], page: "web-1 is up\n" });
  if (server.machine.kind === "plain") {
    server.machine.spawn(command);
    return;
  }
  const unit = `[Unit]\nDescription=The page of the demo\n[Service]\nExecStart=${command.map(quoted).join(" ")}\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`;
  await server.machine.writeFile("/etc/systemd/system/demo-web.service", unit);
  await server.machine.must(["systemctl", "enable", "--now", "demo-web.service"]);
}

/** One word of a unit file's command line: quoted, with nothing left for systemd to expand (systemd.syntax(7), systemd.service(5)). */
function quoted(word: string): string {
  return `"${word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$").replaceAll("\n", "\\n")}"`;
}

function portOf(name: string, usual: number): number {
  const text = process.env[name] ?? "";
  if (text === "") return usual;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`${name}=${text}: expected a port`);
}
