import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import type { Action, Step } from "@holdfast/core/plan/step.ts";
import { checkNftBatch } from "./nft-batch.ts";

/**
 * Which files each domain may write or remove: its own names only, spelled whole. A domain that asks for another one is refused here,
 * whatever its plan says.
 */
export const OWN_FILES = {
  firewall: [/^\/var\/lib\/holdfast\/boot\/firewall\.nft$/],
  network: [
    /^\/run\/systemd\/network\/04-holdfast-[a-z0-9][a-z0-9.-]{0,63}\.(network|netdev|link)$/,
    /^\/etc\/systemd\/network\/05-holdfast-[a-z0-9][a-z0-9.-]{0,63}\.(network|netdev|link)$/,
  ],
  system: [/^\/etc\/sysctl\.d\/95-holdfast\.conf$/, /^\/etc\/ssh\/sshd_config\.d\/05-holdfast\.conf$/],
  vpn: [/^\/etc\/swanctl\/conf\.d\/holdfast\.conf$/],
} as const satisfies Record<DomainName, readonly RegExp[]>;

/** Checks a step before anything is changed; the performer checks again when it acts. */
export function checkStep(step: Step): Result<null, string> {
  return checkAction(step.domain, step.action);
}

export function checkAction(domain: DomainName, action: Action): Result<null, string> {
  switch (action.kind) {
    case "nft":
      return domain === "firewall" ? checkNftBatch(action.batch) : err(`${domain} has no business with nftables`);
    case "write_file":
      if (!Number.isInteger(action.mode) || (action.mode & ~0o644) !== 0)
        return err(`mode ${action.mode.toString(8)} is more than 0644`);
      return checkPath(domain, action.path);
    case "remove_file":
      return checkPath(domain, action.path);
    default:
      return assertNever(action);
  }
}

function checkPath(domain: DomainName, path: string): Result<null, string> {
  return OWN_FILES[domain].some((pattern) => pattern.test(path))
    ? ok(null)
    : err(`${path} is not a file of the ${domain} domain`);
}
