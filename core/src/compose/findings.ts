import type { Finding, Severity } from "../base/finding.ts";

/** Every code that composing a server can give, with what to do where the place itself says no more. */
export const COMPOSE_FINDINGS = {
  "compose.domain_unavailable": { severity: "error", remedy: "Take the section out of the policy." },
  "compose.duplicate_document": { severity: "error", remedy: "Compose with one revision of each document." },
  "compose.expect_broken": {
    severity: "danger",
    remedy: "Change the rules, or the expectation if it is no longer meant.",
  },
  "compose.expect_static_only": {
    severity: "note",
    remedy: "Nothing to do; it was checked on the model and is not probed live.",
  },
  "compose.expect_unchecked": {
    severity: "warning",
    remedy: "Check it by hand, or write an expectation that the server or the control plane can dial.",
  },
  "compose.group_cycle": { severity: "error", remedy: "Take one of the references out." },
  "compose.group_too_deep": { severity: "error", remedy: "Name the inner addresses directly." },
  "compose.certificate_not_ours": {
    severity: "error",
    remedy: "Issue one for a request of this person's device: holdfast tunnel certify TUNNEL PERSON --request FILE.",
  },
  "compose.key_of_other_ends": {
    severity: "error",
    remedy: "Give the tunnel a key of its own again: the next version, such as generated@2.",
  },
  "compose.kernel_against": {
    severity: "warning",
    remedy: "Set it otherwise, or take what needs it out of the policies of this server.",
  },
  "compose.kernel_set_twice": { severity: "error", remedy: "Say it in one of the two places." },
  "compose.layer_conflict": { severity: "error", remedy: "Keep it in one of the two, or say it in a narrower layer." },
  "compose.name_twice": { severity: "error", remedy: "Rename the definition in the policy, or use the Group." },
  "compose.no_address": { severity: "error", remedy: "Write `addresses:` in its Server document." },
  "compose.parameter": { severity: "error", remedy: "Correct the value in the Server document." },
  "compose.parameter_missing": { severity: "error", remedy: "Write the value in the Server document, under `params`." },
  "compose.parameter_unused": {
    severity: "warning",
    remedy: "Take it out of the Server document, or correct the name of the policy.",
  },
  "compose.secret_outdated": {
    severity: "note",
    remedy: "Nothing to do, or take the newer one: holdfast secret rotate.",
  },
  "compose.trial_looser": { severity: "error", remedy: "Leave it to the floor, or make it stricter." },
  "compose.trial_window": { severity: "error", remedy: "Make the window longer than the soak, or the soak shorter." },
  "compose.tunnel_traffic_open": {
    severity: "danger",
    remedy: "Write a firewall section with `forward:` in a policy of this server, or filter elsewhere.",
  },
  "compose.tunnel_unproven": {
    severity: "warning",
    remedy: "Write an expectation from an address of this server to one behind the other end, with `is: open`.",
  },
  "compose.unknown_name": { severity: "error", remedy: "Correct the name, or write the document that defines it." },
  "compose.unknown_secret": {
    severity: "error",
    remedy: "Write the value with `holdfast secret set NAME`, or correct name and version.",
  },
  "compose.unknown_server": { severity: "error", remedy: "Write a Server document for it." },
  "compose.use_closed": {
    severity: "warning",
    remedy: "Write a rule for it, or take the setting out if it is not meant any more.",
  },
  "compose.value": { severity: "error", remedy: "Correct the value." },
  "compose.without_nothing": { severity: "warning", remedy: "Take the name out of `without`, or correct it." },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type ComposeCode = keyof typeof COMPOSE_FINDINGS;

/** A finding in a document; line and column are added from the document's text when all findings are together. */
export function composeFinding(
  code: ComposeCode,
  message: string,
  at: { readonly document?: string; readonly path?: string; readonly remedy?: string },
): Finding {
  const { severity, remedy } = COMPOSE_FINDINGS[code];
  return {
    severity,
    code,
    path: at.path ?? "",
    message,
    remedy: at.remedy ?? remedy,
    ...(at.document === undefined ? {} : { document: at.document }),
  };
}
