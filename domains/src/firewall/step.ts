import type { Step } from "@holdfast/core/plan/step.ts";

/** Where the boot unit finds what to load. */
export const BOOT_FILE = "/var/lib/holdfast/boot/firewall.nft";
/** It shows which ports are open to whom. */
const BOOT_FILE_MODE = 0o600;

/** Time for a small batch on a busy machine. Too small: a change fails because the server was busy; too large: the armed undo comes late. */
const BATCH_BASE_MS = 5_000;
/** nft loaded 50,000 rules in 2.5 s; ten times that, for a slow machine. */
const BATCH_MS_PER_LINE = 0.5;
const FILE_BUDGET_MS = 2_000;

export function batchStep(id: string, title: string, batch: string): Step {
  const lines = batch.split("\n").length;
  return {
    id,
    domain: "firewall",
    title,
    action: { kind: "nft", batch },
    budgetMs: BATCH_BASE_MS + Math.ceil(lines * BATCH_MS_PER_LINE),
  };
}

export function bootFileStep(text: string | null): Step {
  const shared = { domain: "firewall", budgetMs: FILE_BUDGET_MS } as const;
  if (text === null)
    return {
      ...shared,
      id: "firewall.boot",
      title: "Remove the firewall's boot file",
      action: { kind: "remove_file", path: BOOT_FILE },
    };
  return {
    ...shared,
    id: "firewall.boot",
    title: "Write the firewall's boot file",
    action: { kind: "write_file", path: BOOT_FILE, mode: BOOT_FILE_MODE, text },
  };
}
