/**
 * What the tests against a real kernel need, and whether this process has it.
 * They make network namespaces, load nftables and boot servers, so they need root's capabilities.
 */
import { readFileSync } from "node:fs";

/** Bits of the capability sets, from capabilities(7). */
const NEEDED_CAPABILITIES = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n } as const;

/** The text of /proc/self/status → what is missing, in words for the test report; undefined when nothing is. */
export function missingCapabilities(procStatus: string): string | undefined {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(procStatus)?.[1];
  if (effective === undefined) return "needs a Linux kernel: /proc/self/status names no capabilities";
  const held = BigInt(`0x${effective}`);
  const missing = Object.entries(NEEDED_CAPABILITIES)
    .filter(([, bit]) => (held & (1n << bit)) === 0n)
    .map(([name]) => name);
  return missing.length === 0 ? undefined : `needs root with ${missing.join(" and ")}: run it as root`;
}

/**
 * Why the tests against a real kernel cannot run in this process, or undefined.
 * With HOLDFAST_REQUIRE_KERNEL=1 (set in CI) they run in any case: a machine without rights is then red, not grey.
 */
export function whyNoKernelTests(): string | undefined {
  if (process.env["HOLDFAST_REQUIRE_KERNEL"] === "1") return undefined;
  return missingCapabilities(readFileSync("/proc/self/status", "utf8"));
}
