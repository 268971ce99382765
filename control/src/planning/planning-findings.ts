import type { Finding, Severity } from "@holdfast/core/base/finding.ts";
import { OVERWRITES_DRIFT } from "../saga/overwrites-drift.ts";

/** What the control plane itself has to say about a plan, beside the composer and the agent. */
export const PLANNING_FINDINGS = {
  "plan.brings_earlier": { severity: "note", remedy: "Nothing to do; look at the diff, which shows all of it." },
  "plan.certificate_chain": {
    severity: "error",
    remedy:
      "Issue both certificates anew: holdfast secret rotate tunnel.NAME. Of a person: holdfast tunnel certify TUNNEL PERSON.",
  },
  "plan.certificate_ended": {
    severity: "error",
    remedy:
      "Of a server of ours: holdfast secret rotate tunnel.NAME. Of a person: holdfast tunnel certify TUNNEL PERSON. Of an external end: ask its administrator for the new one.",
  },
  "plan.certificate_ends": {
    severity: "warning",
    remedy:
      "Ask the administrator of that end for the next one, or certify this person's next request, and write it into the document before that day.",
  },
  "plan.certificate_no_authority": {
    severity: "error",
    remedy: "Write it as certificate:, or ask for the certificate of the authority that has issued it.",
  },
  "plan.certificate_other_name": {
    severity: "error",
    remedy: "Correct identity:, letter for letter, or ask for the certificate of this very end.",
  },
  "plan.certificate_same_key": {
    severity: "error",
    remedy: "Let one of the two make a new key on their own device, and certify that request.",
  },
  "plan.certificate_unreadable": { severity: "error", remedy: "Copy it anew, from BEGIN to END CERTIFICATE." },
  "plan.joins": { severity: "note", remedy: "Nothing to do; look at the diff, which shows all of it." },
  "plan.key_due": {
    severity: "warning",
    remedy: "Replace it by a change of its own: holdfast secret rotate.",
  },
  "plan.labels_move": {
    severity: "warning",
    remedy: "See who holds permissions by these labels (holdfast user list); both places must be yours to do this.",
  },
  "plan.leaves": {
    severity: "warning",
    remedy: "What only this document said goes back to what was found; look at the diff, which shows all of it.",
  },
  "plan.lets_go": {
    severity: "danger",
    remedy:
      "See in the diff what is left of the firewall, the network and who may log in; take leaves: out where it was not meant.",
  },
  [OVERWRITES_DRIFT]: {
    severity: "danger",
    remedy: "Look at what was changed by hand; take it into a policy, or overwrite it.",
  },
  "plan.quarantined": {
    severity: "error",
    remedy: "Mend the document in a new change, or retry the apply that was undone.",
  },
  "plan.runs_control_plane": {
    severity: "note",
    remedy: "Keep a page of the console open on another machine, and confirm there while the change is on trial.",
  },
  "plan.secrets_locked": {
    severity: "error",
    remedy: "Give this instance the key that the house uses (docs/secrets.md), then plan again.",
  },
  "plan.server_locked": {
    severity: "warning",
    remedy: "Look at the server, then unlock it; until then nothing is applied.",
  },
  "plan.still_called": {
    severity: "warning",
    remedy:
      "Write the new one there, in this change or before it; server:NAME instead of an address follows by itself.",
  },
  "plan.tunnel_stays": {
    severity: "error",
    remedy: "Delete the tunnel, or give that end to another server, in a change of its own or in this one.",
  },
  "plan.server_not_enrolled": {
    severity: "note",
    remedy: "Enroll it; it gets what is in force when its first change is applied.",
  },
  "plan.server_paused": { severity: "warning", remedy: "Wait for the end of the pause, or resume it." },
  "plan.unreachable": {
    severity: "error",
    remedy: "See whether its agent is connected; then plan again, or leave the server out.",
  },
  "rollback.built_upon": {
    severity: "error",
    remedy: "Roll back the later change first, or make a new change that says what should be.",
  },
  "rollback.not_in_force": { severity: "note", remedy: "Nothing to do." },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type PlanningCode = keyof typeof PLANNING_FINDINGS;

export function planningFinding(code: PlanningCode, message: string, path = ""): Finding {
  const { severity, remedy } = PLANNING_FINDINGS[code];
  return { severity, code, path, message, remedy };
}
