import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { run } from "@holdfast/testkit/servers/child.ts";

/** Where and in what company the figures were taken. Without it they say nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly kernel: string;
  readonly node: string;
  readonly nft: string;
  /** Load average of the last minute when the run began: above zero, others were at work. */
  readonly loadBefore: number;
}

export async function describeMachine(): Promise<Machine> {
  const nft = await run(["nft", "--version"]);
  const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os,
    kernel: release(),
    node: process.version,
    nft: nft.stdout.trim(),
    loadBefore: loadavg()[0] ?? 0,
  };
}
