import { join } from "node:path";
import type { DomainName } from "@holdfast/core/domain.ts";
import type { z } from "zod";
import type { LabServer } from "../servers/server.ts";
import type { Rule } from "./check.ts";
import type { moduleCaseSchema } from "./module-case.ts";

const CASES = "/root/cases.json";
const SOCKET_FOLDER = "/run/holdfast";
const LEDGER = "/var/lib/holdfast/ledger";
/** Hundreds of calls, each on a real server, and the module started anew between many of them: minutes, on a busy machine many. */
const PATIENCE_MS = 1_200_000;

export interface KitRun {
  /** What the kit printed: each check, and one line that counts them. */
  readonly report: string;
  readonly code: number | null;
}

/** A case before it is read: its configs are whatever the domain calls one, and travel as JSON. */
type CaseOnServer = Omit<z.input<typeof moduleCaseSchema>, "configs" | "managementPath"> & {
  readonly configs: {
    readonly a: unknown;
    readonly b: unknown;
    readonly invalid: readonly { readonly config: unknown; readonly field: string }[];
  };
};

/**
 * Runs the whole kit on our own module of a domain, on a server that may be changed. The kit runs there too: it holds the ledger's lock
 * against the module, and both must see one file.
 */
export async function runKitOn(
  server: LabServer,
  domain: DomainName,
  moduleCase: CaseOnServer,
  /** Default: all. */
  rules?: readonly Rule[],
): Promise<KitRun> {
  await server.writeFile(CASES, JSON.stringify(moduleCase));
  const node = [server.nodeBinary, "--disable-warning=ExperimentalWarning"];
  const told = {
    domain,
    socket: `${SOCKET_FOLDER}/module-${domain}.sock`,
    ledger: LEDGER,
    cases: CASES,
    ...(rules === undefined ? {} : { rules: rules.join(",") }),
  };
  const options = Object.entries(told).flatMap(([key, value]) => [`--${key}`, value]);
  const kit = [join(server.repo, "testkit/src/conformance/conformance-main.ts"), ...options];
  const module = [...node, join(server.repo, "agent/src/main.ts"), "module", domain];
  const run = await server.exec([...node, ...kit, "--", ...module], { timeoutMs: PATIENCE_MS });
  return { report: run.stdout + run.stderr, code: run.code };
}
