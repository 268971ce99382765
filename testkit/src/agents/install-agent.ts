import { setTimeout as sleep } from "node:timers/promises";
import type { RunningProcess } from "../servers/child.ts";
import { LabError } from "../servers/lab-error.ts";
import { nodeBinary } from "../servers/machine.ts";
import type { LabServer } from "../servers/server.ts";
import { agentBundle, agentPackage, sessionBundle } from "./agent-program-files.ts";
import { accountsFile, unitsForCheckout } from "./agent-units.ts";

/** What the control plane gives for a new server; the shape of core's enrolmentSchema. */
export interface Enrolment {
  readonly token: string;
  readonly caFingerprint: string;
  /** `holdfast-agent enroll --control HOST:PORT …`, complete. */
  readonly command: string;
}

export interface InstallOptions {
  /** Where to dial, instead of what the enrolment's command says. */
  readonly controlHost?: string;
  readonly controlPort?: number;
  /** Who may always come in by SSH: the server's own floor. */
  readonly managementNetworks?: readonly string[];
  /** "checkout": one file made of the sources, with the package's units. "package": the Debian package, installed by dpkg. Default "checkout". */
  readonly from?: "checkout" | "package";
  /** Default true. */
  readonly waitForSession?: boolean;
}

export type AgentRole = "session" | "guard" | "module" | "revert";

/** The agent of one server. */
export interface InstalledAgent {
  /** `holdfast-agent status --json`. */
  status(): Promise<unknown>;
  /** `holdfast-agent` with these words, as root on the server; not checked. */
  run(...words: readonly string[]): ReturnType<LabServer["exec"]>;
  /** As the server counts; null: that role does not run now. */
  pid(role: AgentRole): Promise<number | null>;
  /** SIGKILL. False: there was nothing to kill. */
  kill(role: AgentRole): Promise<boolean>;
  stop(): Promise<void>;
  /** Starts it anew, in order; also after a boot of a plain server, which has nobody to start it. */
  restart(): Promise<void>;
  waitForSession(): Promise<void>;
}

const NODE_OPTIONS = ["--disable-warning=ExperimentalWarning"] as const;
const ENROLMENT = "/var/lib/holdfast/enrolment.json";
const SESSION_PATIENCE_MS = 60_000;
/** The one process ends its roles in order; killed before, it would leave them. */
const STOP_PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 100;
const SESSION_LINE = "session with the control plane";
/** dpkg unpacks a hundred megabytes; systemctl waits for what it starts. */
const SLOW_COMMAND_MS = 120_000;

/** Which processes run for which server where no init system knows. */
const running = new WeakMap<LabServer, RunningProcess>();

/**
 * Makes a booted server one of a control plane's. With an enrolment it is enrolled anew, whoever's it was before; with null it must be enrolled
 * already (a kept disk), and gets the programs and units of today.
 */
export async function installAgent(
  server: LabServer,
  enrolment: Enrolment | null,
  options: InstallOptions = {},
): Promise<InstalledAgent> {
  // The package is not replaced under a running agent where nobody can stop it.
  if (server.kind === "plain") await stopByHand(server);
  const program = await installProgram(server, options.from ?? "checkout");
  const agent = new LabAgent(server, program);
  if (enrolment === null) {
    if ((await server.readFile(ENROLMENT)) === undefined)
      throw new LabError(`${server.name} is not enrolled: ${ENROLMENT} is missing, and no enrolment was given`);
    await agent.restart();
  } else {
    await agent.stop();
    await server.must(["rm", "-rf", "--", ENROLMENT, "/var/lib/holdfast/session", "/var/lib/holdfast/enrolling.key"]);
    await server.must([...program, ...enrolWords(enrolment, options)], { timeoutMs: SLOW_COMMAND_MS });
    if (server.kind === "plain") await agent.restart();
  }
  if (options.waitForSession !== false) await agent.waitForSession();
  return agent;
}

async function stopByHand(server: LabServer): Promise<void> {
  await running.get(server)?.stop("SIGTERM", STOP_PATIENCE_MS);
  running.delete(server);
}

/** Puts the files there and enrolls nobody; answers with the words that run the program. */
export async function installProgram(server: LabServer, from: "checkout" | "package"): Promise<readonly string[]> {
  if (from === "package") {
    await server.must(["dpkg", "--install", await agentPackage()], { timeoutMs: SLOW_COMMAND_MS });
    return ["/usr/bin/holdfast-agent"];
  }
  const bundle = await agentBundle();
  const words = [nodeBinary, ...NODE_OPTIONS, bundle];
  await server.writeFile(
    "/usr/local/bin/holdfast-agent",
    `#!/bin/sh\nexec ${words.map(quoted).join(" ")} "$@"\n`,
    0o755,
  );
  if (server.kind === "systemd") {
    for (const { path, text } of [...unitsForCheckout(nodeBinary, bundle, await sessionBundle()), accountsFile()])
      await server.writeFile(path, text);
    await server.must(["systemd-sysusers"]);
    await server.must(["systemctl", "daemon-reload"]);
  }
  return words;
}

function enrolWords(
  enrolment: Enrolment,
  { controlHost, controlPort, managementNetworks = [] }: InstallOptions,
): readonly string[] {
  const said = /--control (\S+):(\d+)/.exec(enrolment.command);
  const [host, port] = [controlHost ?? said?.[1], controlPort ?? said?.[2]];
  if (host === undefined || port === undefined)
    throw new LabError(`the enrolment's command names no control plane: ${enrolment.command}`);
  return [
    "enroll",
    "--control",
    `${host}:${String(port)}`,
    "--ca-fingerprint",
    enrolment.caFingerprint,
    "--token",
    enrolment.token,
    ...managementNetworks.flatMap((network) => ["--management-network", network]),
  ];
}

class LabAgent implements InstalledAgent {
  readonly #server: LabServer;
  readonly #program: readonly string[];

  constructor(server: LabServer, program: readonly string[]) {
    this.#server = server;
    this.#program = program;
  }

  async status(): Promise<unknown> {
    return JSON.parse(await this.#server.must([...this.#program, "status", "--json"]));
  }

  run(...words: readonly string[]): ReturnType<LabServer["exec"]> {
    return this.#server.exec([...this.#program, ...words], { timeoutMs: SLOW_COMMAND_MS });
  }

  async pid(role: AgentRole): Promise<number | null> {
    return (await this.#pids(role))[0] ?? null;
  }

  async kill(role: AgentRole): Promise<boolean> {
    const pids = await this.#pids(role);
    await this.#server.kill(pids);
    return pids.length > 0;
  }

  async restart(): Promise<void> {
    await this.stop();
    if (this.#server.kind === "systemd") {
      const modules = await this.#enabledModules();
      await this.#systemctl("enable", ...ALWAYS, ...modules);
      await this.#systemctl("start", ...ALWAYS.filter((unit) => unit !== "holdfast-boot.service"), ...modules);
      return;
    }
    running.set(this.#server, this.#server.spawn([...this.#program, "run"]));
  }

  async stop(): Promise<void> {
    if (this.#server.kind === "systemd") {
      const units = [
        "holdfast-agent.service",
        "holdfast-guard.socket",
        "holdfast-guard.service",
        "holdfast-module@*",
        "holdfast-capture.*",
      ];
      await this.#systemctl("stop", ...units);
      return;
    }
    await stopByHand(this.#server);
  }

  async waitForSession(): Promise<void> {
    const giveUpAt = performance.now() + SESSION_PATIENCE_MS;
    for (;;) {
      const log = await this.#log();
      if (log.split("\n").some(tellsOfSession)) return;
      if (performance.now() > giveUpAt)
        throw new LabError(`the agent of ${this.#server.name} has no session:\n${log.slice(-3_000)}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** What the session that runs now has logged. */
  async #log(): Promise<string> {
    if (this.#server.kind === "plain") return running.get(this.#server)?.output ?? "";
    const invocation = await this.#systemctl("show", "--property=InvocationID", "--value", "holdfast-agent.service");
    const { stdout } = await this.#server.exec([
      "journalctl",
      "--quiet",
      "--no-pager",
      "--output=cat",
      `_SYSTEMD_INVOCATION_ID=${invocation.trim()}`,
    ]);
    return stdout;
  }

  async #enabledModules(): Promise<readonly string[]> {
    const { stdout } = await this.#server.exec([
      "systemctl",
      "list-unit-files",
      "--no-legend",
      "--state=enabled",
      "holdfast-module@*.socket",
    ]);
    return stdout
      .split("\n")
      .map((line) => line.split(" ", 1)[0] ?? "")
      .filter((unit) => unit !== "" && unit !== "holdfast-module@.socket");
  }

  #pids(role: AgentRole): Promise<readonly number[]> {
    return this.#server.pidsOf(String.raw`holdfast-(agent\.mjs ${role}( |$)|${role}\.mjs)`);
  }

  #systemctl(...words: readonly string[]): Promise<string> {
    return this.#server.must(["systemctl", ...words], { timeoutMs: SLOW_COMMAND_MS });
  }
}

/** What an enrolled server runs; its modules besides. */
const ALWAYS = [
  "holdfast-guard.socket",
  "holdfast-capture.socket",
  "holdfast-boot.service",
  "holdfast-recover.service",
  "holdfast-tend.timer",
  "holdfast-agent.service",
] as const;

function tellsOfSession(line: string): boolean {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null && Object.values(entry).includes(SESSION_LINE);
  } catch {
    return false;
  }
}

/** One word of a shell script. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
