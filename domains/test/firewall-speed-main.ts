/**
 * Sizes and times of one rule changed among many, on this machine: `node domains/test/firewall-speed-main.ts [rules]` as root. It judges nothing;
 * times on a busy machine are an order of magnitude.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { firewall } from "../src/firewall/domain.ts";
import type { FirewallObserved } from "../src/firewall/facts.ts";
import type { FirewallConfig, Rule } from "../src/firewall/model.ts";
import { NftNamespace } from "./nft-namespace.ts";

const count = Number(process.argv[2] ?? 10_000);
const PATH = { controlPlane: [], inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }] };

function rule(at: number, verb: Rule["verb"]): Rule {
  const address = `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
  return {
    name: `rule-${at}`,
    verb,
    services: [`tcp/${1 + (at % 60_000)}`],
    from: [{ addresses: [address] }],
    to: [{}],
  };
}

function config(changed: number | null): FirewallConfig {
  const rules = Array.from({ length: count }, (_, at) => rule(at, at === changed ? "drop" : "allow"));
  return {
    mode: "enforce",
    floor: { inbound: [{ name: "ops", networks: ["192.0.2.0/24"], tcpPorts: [22] }], controlPlane: [] },
    interfaces: {},
    zones: {},
    sets: {},
    needs: [],
    inbound: { default: "drop", rules },
  };
}

function timed<Value>(what: string, act: () => Value): Value {
  const start = performance.now();
  const value = act();
  print(what, performance.now() - start);
  return value;
}

function print(what: string, milliseconds: number, size?: number): void {
  process.stdout.write(
    `${what.padEnd(44)}${milliseconds.toFixed(1).padStart(10)} ms${size === undefined ? "" : `${String(size).padStart(12)} bytes`}\n`,
  );
}

function batchOf(desired: FirewallConfig, confirmed: FirewallConfig | null, observed: FirewallObserved): string {
  const { steps } = firewall.plan({ desired, confirmed, observed, managementPath: PATH });
  return steps.flatMap((step) => (step.action.kind === "nft" ? [step.action.batch] : [])).join("");
}

/**
 * One nft that stays, fed by lines: an include of a file is one transaction. A list that fails marks its end; `list tables`, though it prints
 * only names, makes nft 1.0.6 fetch every rule first (0.12 s with 10,000).
 */
async function throughInteractive(
  namespace: NftNamespace,
  folder: string,
  batches: readonly string[],
): Promise<readonly number[]> {
  const child = spawn("ip", ["netns", "exec", namespace.name, "nft", "-i"], { stdio: ["pipe", "pipe", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  const times: number[] = [];
  try {
    for (const [at, batch] of batches.entries()) {
      const file = join(folder, `batch-${at}.nft`);
      writeFileSync(file, batch);
      const start = performance.now();
      const answered = new Promise<void>((resolve) => {
        lines.on("line", (line) => {
          if (line.includes("end_mark")) resolve();
        });
      });
      child.stdin.write(`include "${file}"\nlist table inet end_mark\n`);
      await answered;
      lines.removeAllListeners("line");
      times.push(performance.now() - start);
    }
    return times;
  } finally {
    child.kill("SIGKILL");
  }
}

const folder = mkdtempSync(join(tmpdir(), "hff-"));
const namespace = new NftNamespace();
try {
  const [a, b] = [config(null), config(count / 2)];
  const text = JSON.stringify(a);
  timed("parse the config", () => firewall.parseConfig(JSON.parse(text)));
  timed("validate it", () => firewall.validate(a));
  timed("render it", () => firewall.render(a, null));
  const whole = timed("plan it from nothing", () => batchOf(a, null, namespace.observe()));
  timed(`nft -f, whole (${whole.length} bytes)`, () => namespace.load(whole));
  const observed = timed("observe everything", () => namespace.observe());
  timed("verify", () => firewall.verify(a, observed));
  const change = timed("plan one rule", () => batchOf(b, a, observed));
  const queries = timed("what to read back", () => firewall.readBack?.facts(observed, b) ?? []);
  timed(`nft -f, one rule (${change.length} bytes)`, () => namespace.load(change));
  const after = timed("read back that chain", () => {
    const raw = queries.flatMap((query) =>
      query.kind === "command" ? [[query.name, namespace.try(...query.argv)]] : [],
    );
    return firewall.readBack?.observe(observed, Object.fromEntries(raw)) ?? observed;
  });
  timed("verify it", () => firewall.verify(b, after));
  const back = timed("plan the way back", () => batchOf(a, b, after));
  timed("nft -f, nothing to do (what a spawn costs)", () => namespace.load("add table inet holdfast\n"));
  const times = await throughInteractive(namespace, folder, [back, change, back, change, back]);
  for (const time of times) print("nft -i, one rule", time, change.length);
} finally {
  namespace.close();
  rmSync(folder, { recursive: true, force: true });
}
