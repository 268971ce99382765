import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createClient, type Client } from "@connectrpc/connect";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { SignedCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import type { Transaction, TunnelActResponse } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import type { GuestFile } from "@holdfast/testkit/vm/guest-disk.ts";
import type { Guest } from "@holdfast/testkit/vm/guest.ts";
import { bundled } from "./bundled.ts";
import { Commander, effectiveConfig, makeRequestId, type Trial } from "./commander.ts";
import { type GuardWay, GuestGuard, NearGuard } from "./guard-way.ts";

const UNITS = join(REPOSITORY_ROOT, "deploy/systemd");
const PROGRAM_FOLDER = "/usr/lib/holdfast-agent";

/** A server that the agent is put on: one in namespaces, or a guest with a kernel of its own. */
type Host = Pick<LabServer, "must" | "exec" | "writeFile" | "nodeBinary">;

/** What is put on a server before the agent is enabled there: by `install`, or on a guest's disk. */
export function agentFiles(commander: Commander): Readonly<Record<string, GuestFile>> {
  const units = readdirSync(UNITS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(service|socket|timer|conf)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    [`${PROGRAM_FOLDER}/holdfast-agent.mjs`]: { content: bundled("agent/src/main.ts") },
    [`${PROGRAM_FOLDER}/with-journal.pl`]: { content: readFileSync(join(UNITS, "with-journal.pl")) },
    ...Object.fromEntries(
      units.map((path) => [`/etc/systemd/system${path.slice(UNITS.length)}`, { content: readFileSync(path) }]),
    ),
    "/var/lib/holdfast/receipt.key": { content: key, mode: 0o600 },
    "/var/lib/holdfast/enrolment.json": { content: commander.identity() },
  };
}

/** A guest on whose disk `agentFiles` of this commander were put before it booted. */
export interface GuestWithAgent {
  readonly guest: Guest;
  readonly commander: Commander;
}

/** The agent as it is installed on a server with systemd: its real units, its real firewall. Commanded past the session, at the guard's socket. */
export class SystemdAgent {
  readonly #server: Host;
  readonly #way: GuardWay;
  readonly #commander: Commander;
  /** What has yet to be put there. */
  readonly #files: Readonly<Record<string, GuestFile>>;

  constructor(where: LabServer | GuestWithAgent) {
    const isGuest = "guest" in where;
    this.#server = isGuest ? where.guest : where;
    this.#way = isGuest ? new GuestGuard(where.guest) : new NearGuard(where);
    this.#commander = isGuest ? where.commander : new Commander();
    this.#files = isGuest ? {} : agentFiles(this.#commander);
  }

  async install(): Promise<void> {
    const server = this.#server;
    for (const [path, { content, mode }] of Object.entries(this.#files)) {
      await server.must(["mkdir", "-p", dirname(path)]);
      await server.writeFile(path, content, mode);
    }
    await server.must(["ln", "-sf", server.nodeBinary, `${PROGRAM_FOLDER}/node`]);
    await server.must([
      "sh",
      "-c",
      "getent passwd holdfast || useradd --system --no-create-home --shell /usr/sbin/nologin holdfast",
    ]);
    await server.must(["systemctl", "daemon-reload"]);
    await server.must(["systemctl", "enable", "holdfast-boot.service", "holdfast-recover.service"]);
    await server.must([
      "systemctl",
      "enable",
      "--now",
      "holdfast-tend.timer",
      "holdfast-guard.socket",
      "holdfast-module@firewall.socket",
    ]);
  }

  async guard(): Promise<Client<typeof GuardService>> {
    return createClient(GuardService, await this.#way.transport());
  }

  letGo(): void {
    this.#way.letGo();
  }

  prepare(requestId: string, firewall: Json, trial: Trial): Promise<Transaction> {
    return this.prepareDomains(requestId, { firewall }, trial);
  }

  /** What a plan of these says, and nothing more. */
  async findings(
    domains: Readonly<Record<string, Json>>,
    trial: Trial,
  ): Promise<readonly { readonly code: string; readonly message: string }[]> {
    const { findings } = await (await this.guard()).plan(effectiveConfig(domains, trial));
    return findings.map(({ code, message }) => ({ code, message }));
  }

  async prepareDomains(
    requestId: string,
    domains: Readonly<Record<string, Json>>,
    trial: Trial,
    overwriteDrift = false,
  ): Promise<Transaction> {
    const guard = await this.guard();
    const config = effectiveConfig(domains, trial);
    const plan = await guard.plan(config);
    this.#commander.nextFence();
    const { planDigest, baseGeneration } = plan;
    const value = { kind: "forward", ...config, planDigest, baseGeneration, overwriteDrift };
    return guard.submit({ command: this.#commander.command(requestId, { case: "prepare", value }) });
  }

  async execute(requestId: string, nonce: string): Promise<Transaction> {
    const command = this.#commander.command(requestId, { case: "execute", value: { nonce } });
    return (await this.guard()).submit({ command });
  }

  async confirm(requestId: string, nonce: string): Promise<Transaction> {
    const command = this.#commander.command(requestId, { case: "confirm", value: { nonce } });
    return (await this.guard()).submit({ command, sessionMonotonicNs: await this.#way.monotonicNs() });
  }

  async abort(requestId: string): Promise<Transaction> {
    const value = { code: "operator.abort", message: "kim pressed the button" };
    return (await this.guard()).submit({ command: this.#commander.command(requestId, { case: "abort", value }) });
  }

  /** An operator's act on a tunnel, signed with a new fence; `signed` sends one again that was sent before. */
  async tunnel(
    act: string,
    of: string,
    acknowledged: readonly string[] = [],
    tunnel = "pair",
    /** With a fence that the commands after it do not have. */
    ahead = 0n,
  ): Promise<{ readonly signed: SignedCommand; readonly answer: TunnelActResponse }> {
    const fence = ahead === 0n ? this.#commander.nextFence() : this.#commander.fence + ahead;
    const value = { tunnel, act, of, acknowledged: [...acknowledged] };
    const signed = this.#commander.command(makeRequestId(), { case: "tunnel", value }, { fence });
    return { signed, answer: await (await this.guard()).actOnTunnel({ command: signed }) };
  }

  /** The kinds of the newest transaction's records, read on the server without a guard. */
  async story(): Promise<string> {
    return this.#server.must([`${PROGRAM_FOLDER}/node`, `${PROGRAM_FOLDER}/holdfast-agent.mjs`, "why"]);
  }

  /** Our table as the kernel has it, empty when there is none; without what counts, and with its counters in one order. */
  async table(): Promise<string> {
    const listed = await this.#server.exec(["nft", "list", "table", "inet", "holdfast"]);
    if (listed.code !== 0) return "";
    const counters = /^\tcounter (\S+) \{\n[^}]*\}\n\n?/gm;
    const names = [...listed.stdout.matchAll(counters)].map((found) => found[1] ?? "");
    return `counters ${names.toSorted().join(" ")}\n${listed.stdout.replace(counters, "").replace(/packets \d+ bytes \d+/g, "")}`;
  }
}
