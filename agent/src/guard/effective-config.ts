import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { WHEN_FLOOR_LOST, type WhenFloorLost } from "@holdfast/core/floor/keep-floor.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { digestOfText } from "../digest.ts";
import { readManagementPath } from "../management-path.ts";

/** What the guard itself needs of an effective config; each domain's part is for its module to judge. */
export interface GuardConfig {
  readonly json: string;
  readonly digest: string;
  readonly domains: ReadonlyMap<DomainName, Json>;
  /** Canonical JSON of a domain's part, `null` where it has none: what modules are sent. */
  textOf(domain: DomainName): string;
  readonly windowMs: number;
  readonly reconnectMs: number;
  readonly managementPath: ManagementPath;
  readonly whenFloorLost: WhenFloorLost;
  /** Files of the secrets that must have come with it. */
  readonly secrets: readonly string[];
}

/** Bytes. A firewall of 50,000 rules takes about 10 MB. */
const MAX_CONFIG_BYTES = 32 * 1024 * 1024;
/** Seconds. Longer than half an hour nobody watches a trial. */
const MAX_WINDOW_SECONDS = 1800;

export function readConfig(json: string, digest: string): Result<GuardConfig, string> {
  if (json.length > MAX_CONFIG_BYTES) return err(`the config is larger than ${MAX_CONFIG_BYTES} bytes`);
  if (digestOfText(json) !== digest) return err("the config's digest is not the one that was sent with it");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return err("the config is not JSON");
  }
  if (!isMap(value)) return err("the config is not an object");
  const { domains, trial } = value;
  if (!isMap(domains)) return err("`domains` is missing");
  const parts = new Map<DomainName, Json>();
  for (const [name, part] of Object.entries(domains)) {
    const domain = DOMAINS.find((known) => known === name);
    if (domain === undefined) return err(`\`domains.${name}\` is no domain of this agent: upgrade it first`);
    if (part !== null) parts.set(domain, part as Json);
  }
  if (!isMap(trial)) return err("`trial` is missing");
  const { windowSeconds, reconnectSeconds } = trial;
  if (!isSeconds(windowSeconds)) return err(`\`trial.windowSeconds\` must be 1 to ${MAX_WINDOW_SECONDS}`);
  if (!isSeconds(reconnectSeconds)) return err(`\`trial.reconnectSeconds\` must be 1 to ${MAX_WINDOW_SECONDS}`);
  const managementPath = readManagementPath(value["managementPath"]);
  if (!managementPath.ok) return err(`\`managementPath\` ${managementPath.error}`);
  const whenFloorLost = WHEN_FLOOR_LOST.find((known) => known === (value["whenFloorLost"] ?? "alarm"));
  if (whenFloorLost === undefined)
    return err(`\`whenFloorLost\` must be one of ${WHEN_FLOOR_LOST.join(", ")}: upgrade this agent first`);
  const secrets = value["secrets"] ?? [];
  if (!Array.isArray(secrets) || !secrets.every((file) => typeof file === "string" && parseSecretFile(file).ok))
    return err("`secrets` must be names of secrets");
  return ok({
    json,
    digest,
    domains: parts,
    textOf: textsOf(parts),
    windowMs: windowSeconds * 1000,
    reconnectMs: reconnectSeconds * 1000,
    managementPath: managementPath.value,
    whenFloorLost,
    secrets: secrets as readonly string[],
  });
}

/** Written once for each domain, when it is first asked for. */
function textsOf(parts: ReadonlyMap<DomainName, Json>): GuardConfig["textOf"] {
  const texts = new Map<DomainName, string>();
  return (domain) => {
    const text = texts.get(domain) ?? canonicalJson(parts.get(domain) ?? null);
    texts.set(domain, text);
    return text;
  };
}

function isSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_WINDOW_SECONDS;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
