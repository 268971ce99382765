/**
 * The shell user's way, timed on the server itself and nowhere near its own firewall: started by `unshare --net`, so that it may load what it
 * likes. Reads one JSON value a line, answers with one a line; ends with its input.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firewall } from "@holdfast/domains/firewall/domain.ts";
import type { FirewallObserved } from "@holdfast/domains/firewall/facts.ts";
import type { FirewallConfig } from "@holdfast/domains/firewall/model.ts";
import { answer, readCommands } from "@holdfast/testkit/servers/inside/command-lines.ts";

/** What the server shall have, as its effective config says it. */
export interface RawCommand {
  readonly config: FirewallConfig;
}

/** Milliseconds of a spawned `nft -f`, from the start of the process to its end. */
export interface RawAnswer {
  /** The whole table thrown away and loaded. */
  readonly wholeMs: number;
  /** Only what differs from the table before; null the first time, when there was none. */
  readonly batchMs: number | null;
}

const folder = mkdtempSync(join(tmpdir(), "raw-nft-"));
const file = join(folder, "batch.nft");
let before: FirewallConfig | null = null;

function nft(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("nft", words, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`nft ${words.join(" ")}: ${stderr}`);
  return stdout;
}

function timedLoad(batch: string): number {
  writeFileSync(file, batch);
  const began = performance.now();
  nft("-f", file);
  return performance.now() - began;
}

/** The table as the agent would see it, without the rest of a server. */
function observed(): FirewallObserved {
  const listed = spawnSync("nft", ["-j", "list", "table", "inet", "holdfast"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return firewall.observe({ table: { status: listed.status ?? 255, stdout: listed.stdout, stderr: listed.stderr } });
}

function batchTo(desired: FirewallConfig): string {
  const plan = firewall.plan({
    desired,
    confirmed: before,
    observed: observed(),
    managementPath: { controlPlane: [], inbound: [] },
  });
  return plan.steps.flatMap((step) => (step.action.kind === "nft" ? [step.action.batch] : [])).join("");
}

readCommands(
  (command) => {
    const { config } = command as RawCommand;
    const batchMs = before === null ? null : timedLoad(batchTo(config));
    nft("add", "table", "inet", "holdfast");
    nft("delete", "table", "inet", "holdfast");
    const whole = batchTo(config);
    // As a file that a person keeps: it replaces whatever is there.
    const wholeMs = timedLoad(`add table inet holdfast\ndelete table inet holdfast\n${whole}`);
    before = config;
    answer({ wholeMs, batchMs } satisfies RawAnswer);
  },
  () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  },
);
answer("ready");
