import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "@connectrpc/connect";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { SignedCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import type { Transaction, TunnelActResponse } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { connectUnix } from "../src/os/sockets.ts";
import { clientOver, type ConnectionClient } from "../src/rpc/http2-transport.ts";
import { Commander, effectiveConfig, makeRequestId, type Trial } from "./commander.ts";

const REPOSITORY_ROOT = join(import.meta.dirname, "../..");
const UNITS = join(REPOSITORY_ROOT, "deploy/systemd");
const PROGRAM_FOLDER = "/usr/lib/holdfast-agent";

/** The agent as it is installed on a server with systemd: its real units, its real firewall. Commanded past the session, at the guard's socket. */
export class SystemdAgent {
  readonly #server: LabServer;
  readonly #commander = new Commander();
  #connection: ConnectionClient | null = null;

  constructor(server: LabServer) {
    this.#server = server;
  }

  async install(): Promise<void> {
    const server = this.#server;
    const folder = mkdtempSync(join(tmpdir(), "holdfast-bundle-"));
    const bundle = join(folder, "holdfast-agent.mjs");
    execFileSync(process.execPath, [
      join(REPOSITORY_ROOT, "deploy/package/bundle.ts"),
      join(REPOSITORY_ROOT, "agent/src/main.ts"),
      bundle,
    ]);
    await server.must(["mkdir", "-p", PROGRAM_FOLDER]);
    await server.writeFile(`${PROGRAM_FOLDER}/holdfast-agent.mjs`, readFileSync(bundle));
    rmSync(folder, { recursive: true });
    await server.writeFile(`${PROGRAM_FOLDER}/with-journal.pl`, readFileSync(join(UNITS, "with-journal.pl")));
    await server.must(["ln", "-sf", server.nodeBinary, `${PROGRAM_FOLDER}/node`]);
    for (const entry of readdirSync(UNITS, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(service|socket|timer|conf)$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const target = `/etc/systemd/system${path.slice(UNITS.length)}`;
      await server.must(["mkdir", "-p", target.slice(0, target.lastIndexOf("/"))]);
      await server.writeFile(target, readFileSync(path));
    }
    await server.must([
      "sh",
      "-c",
      "getent passwd holdfast || useradd --system --no-create-home --shell /usr/sbin/nologin holdfast",
    ]);
    await server.must(["mkdir", "-p", "/var/lib/holdfast"]);
    const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    await server.writeFile("/var/lib/holdfast/receipt.key", key, 0o600);
    await server.writeFile("/var/lib/holdfast/enrolment.json", this.#commander.identity());
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

  /** Seen from outside the server: the socket is a file there. */
  async guard(): Promise<Client<typeof GuardService>> {
    if (this.#connection?.isOpen() !== true) {
      const path = `/proc/${this.#server.initPid}/root/run/holdfast/guard.sock`;
      const giveUpAt = performance.now() + 20_000;
      for (;;) {
        const socket = await connectUnix(path);
        if (socket !== null) {
          this.#connection = clientOver(socket);
          break;
        }
        if (performance.now() > giveUpAt) throw new Error("nobody listens at the guard's socket");
        await sleep(50);
      }
    }
    return createClient(GuardService, this.#connection.transport);
  }

  letGo(): void {
    this.#connection?.close();
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
    return (await this.guard()).submit({ command, sessionMonotonicNs: process.hrtime.bigint() });
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
