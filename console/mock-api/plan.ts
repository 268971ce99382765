import type { Plan } from "@holdfast/core/api/change.ts";
import { type RuleRow, ruleSections } from "../src/editor/rule-rows.ts";
import { unifiedDiff } from "../src/editor/unified-diff.ts";

/** Something like what a server would say, from the two texts alone. */
function nativeLines(text: string): string {
  const sections = ruleSections(text) ?? [];
  return sections
    .map(({ hook, fallback, rows }) =>
      [
        `chain rules_${hook} {`,
        ...rows.filter((row) => row.enabled).map(nativeRule),
        `  counter name "d_${hook}" ${fallback === "allow" ? "accept" : (fallback ?? "accept")}`,
        "}",
      ].join("\n"),
    )
    .join("\n");
}

function nativeRule(row: RuleRow): string {
  const from =
    row.from === null || row.from.text === "any" ? "" : `ip saddr @s_${row.from.text.replaceAll(/\W+/g, "_")}_4 `;
  const port = /^(tcp|udp)\/(.+)$/.exec(row.services.split(", ")[0] ?? "");
  const match =
    port === null ? "meta l4proto icmp " : `${port[1] ?? "tcp"} dport { ${row.services.replaceAll(/\w+\//g, "")} } `;
  return `  ${from}${row.services === "any" ? "" : match}counter name "c_${row.hook}_${row.name}" ${row.verb === "allow" ? "accept" : (row.verb ?? "drop")}`;
}

interface Wanted {
  readonly id: string;
  readonly changeId: string;
  readonly server: string;
  readonly kind: Plan["kind"];
  readonly before: string;
  readonly after: string;
  readonly reachable: boolean;
  readonly nowIso: string;
}

export function mockPlan({ id, changeId, server, kind, before, after, reachable, nowIso }: Wanted): Plan {
  const diff = unifiedDiff(nativeLines(before), nativeLines(after));
  const status = !reachable ? "unreachable" : diff === "" ? "nothing_to_do" : "planned";
  const cutsSsh = nativeLines(before).includes("c_inbound_ssh") && !nativeLines(after).includes("c_inbound_ssh");
  const planned = status === "planned";
  return {
    id,
    changeId,
    server,
    kind,
    status,
    takesOver: status === "nothing_to_do" && before !== after,
    planDigest: planned || (status === "nothing_to_do" && before !== after) ? `d1g${id.slice(-8)}` : null,
    configDigest: planned ? `c0f${id.slice(-8)}` : null,
    baseGeneration: reachable ? 41 : null,
    steps: planned
      ? [
          {
            id: "firewall.batch",
            domain: "firewall",
            title: "Replace the rules of inbound in one batch",
            budgetMs: 2000,
          },
          { id: "firewall.boot", domain: "firewall", title: "Write the boot file", budgetMs: 500 },
        ]
      : [],
    nativeDiff: planned ? { firewall: diff } : {},
    findings: planned
      ? [
          ...(cutsSsh
            ? [
                {
                  severity: "danger" as const,
                  code: "firewall.session_cut",
                  path: "firewall.inbound",
                  message:
                    "The rule ssh goes: operators outside of the floor’s networks can no longer sign in to this server.",
                  remedy: "Keep an allow for tcp/22, or tick that you want it all the same.",
                  document: "Policy/web-host",
                },
              ]
            : []),
          {
            severity: "note" as const,
            code: "firewall.foreign_hook",
            path: "firewall.inbound",
            message: "fail2ban has a chain in the same hook, before ours: what it bans never reaches these rules.",
            remedy: "Nothing to do.",
          },
        ]
      : [],
    probes: planned
      ? [
          { id: "tcp/22 from the control plane", direction: "inbound", expected: "open", origin: "Floor/operations" },
          {
            id: "tcp/443 from the control plane",
            direction: "inbound",
            expected: "open",
            origin: "Policy/web-host expect[0]",
          },
        ]
      : [],
    touchesManagementPath: planned && cutsSsh,
    trial: planned
      ? {
          reconnectSeconds: 15,
          soakSeconds: cutsSsh ? 15 : 0,
          windowSeconds: 60,
          confirm: after.includes("# mock: person") ? "person" : "machine",
        }
      : null,
    createdAt: nowIso,
  };
}
