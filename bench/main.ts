import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { canRunServers } from "@holdfast/testkit/servers/capability.ts";
import { repository } from "@holdfast/testkit/servers/machine.ts";
import type { BenchContext } from "./src/context.ts";
import { controlPlane } from "./src/control-plane.ts";
import { fleet } from "./src/fleet.ts";
import { describeMachine } from "./src/machine.ts";
import { memory } from "./src/memory.ts";
import { oneRule } from "./src/one-rule.ts";
import { type BenchOptions, type PartName, PARTS, readOptions } from "./src/options.ts";
import { packets } from "./src/packets.ts";
import { type Row, table } from "./src/result.ts";
import { telemetry } from "./src/telemetry.ts";

const MEASURE = {
  "one-rule": oneRule,
  fleet,
  "control-plane": controlPlane,
  memory,
  packets,
  telemetry,
} as const satisfies Record<PartName, (context: BenchContext) => Promise<readonly Row[]>>;

const options = readOptions(process.argv.slice(2));
if (typeof options === "string") {
  process.stdout.write(`${options}\n`);
  process.exitCode = process.argv.includes("--help") ? 0 : 2;
} else {
  process.exitCode = await bench(options);
}

async function bench({ only, quick, trace, json }: BenchOptions): Promise<number> {
  const able = await canRunServers();
  if (!able.plain) {
    process.stderr.write(`Nothing can be measured here: ${able.reason}\n`);
    return 1;
  }
  const machine = await describeMachine();
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const context: BenchContext = { quick, trace, kind: able.systemd ? "systemd" : "plain", say };
  const rows: Row[] = [];
  for (const part of only.length === 0 ? PARTS : only) {
    const began = performance.now();
    const measured = await MEASURE[part](context);
    rows.push(...measured);
    // Told at once: a part that breaks takes none of those before it along.
    say(`${part}: measured in ${((performance.now() - began) / 1000).toFixed(0)} s\n\n${table(measured)}\n`);
  }
  const about = `${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.os}, kernel ${machine.kernel}, Node ${machine.node}, ${machine.nft}; ${context.kind} servers; load before: ${machine.loadBefore.toFixed(1)}`;
  process.stdout.write(`${about}\n\n${table(rows)}\n`);
  if (json !== null) {
    const file = resolve(repository, json);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      `${JSON.stringify({ at: new Date().toISOString(), quick, kind: context.kind, machine, rows }, null, 2)}\n`,
    );
    say(`written: ${file}`);
  }
  return 0;
}
