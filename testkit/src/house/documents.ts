import { CONTROL_NETWORK } from "./house-networks.ts";

/** Documents that the tests write: one floor for the house, one policy for each server. */

export interface TrialSeconds {
  readonly reconnect: number;
  readonly soak: number;
  readonly window: number;
  readonly confirm?: "machine" | "person";
}

/** Short enough for many tests, long enough for a busy machine to dial again in. */
export const TEST_TRIAL: TrialSeconds = { reconnect: 6, soak: 1, window: 14 };

export function floorText(trial: TrialSeconds): string {
  return `apiVersion: holdfast/v1
kind: Floor
name: house
selector: { all: true }
management:
  - { name: operators, networks: ${CONTROL_NETWORK}, tcpPorts: 22 }
trial: { reconnect: ${trial.reconnect}s, soak: ${trial.soak}s, window: ${trial.window}s, confirm: ${trial.confirm ?? "machine"} }
waves: { canary: 1, percent: [100] }
`;
}

export interface HostPolicy {
  readonly server: string;
  readonly mode?: "enforce" | "observe";
  /** Rules of the inbound section, each as flow YAML without its name: `{ web: "allow: tcp/80, from: any" }`. */
  readonly inbound: Readonly<Record<string, string>>;
  readonly outboundDefault?: "allow" | "drop";
  readonly outbound?: Readonly<Record<string, string>>;
  /** Services of this server that anybody must be able to open. */
  readonly expectOpen?: readonly string[];
}

/** The ports that answer on every server of a house. */
export const PORTS = { ssh: 22, http: 80, app: 8080, other: 9090 } as const;

/** What is in force on a server when nothing is being tried. */
export const USUAL_RULES: Readonly<Record<string, string>> = {
  web: "allow: tcp/80, from: any",
  app: "allow: tcp/8080, from: any",
  ping: "allow: icmp/echo, from: any",
};

export function policyText(policy: HostPolicy): string {
  const rules = (named: Readonly<Record<string, string>>): string =>
    Object.entries(named)
      .map(([name, rule]) => `\n      - { name: ${name}, ${rule} }`)
      .join("") || " []";
  const expectations = (policy.expectOpen ?? []).map(
    (service) => `\n  - { from: any, to: self, service: ${service}, is: open }`,
  );
  return `apiVersion: holdfast/v1
kind: Policy
name: host-${policy.server}
layer: server
selector: { server: ${policy.server} }
firewall:
  mode: ${policy.mode ?? "enforce"}
  inbound:
    default: drop
    rules:${rules(policy.inbound)}
  outbound:
    default: ${policy.outboundDefault ?? "allow"}
    rules:${rules(policy.outbound ?? {})}
${expectations.length === 0 ? "" : `expect:${expectations.join("")}\n`}`;
}
