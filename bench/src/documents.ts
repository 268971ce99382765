/** The documents that the benchmarks write. */

/** Of documentation (RFC 5737): no real network has it. */
export const STREET = "192.0.2.0/24";
export const CONTROL_ADDRESS = "192.0.2.2";
export const CLIENT_ADDRESS = "192.0.2.3";
export const serverAddress = (index: number): string => `192.0.2.${10 + index}`;

/** A port that every rule set lets in, for traffic that must not suffer. */
export const OPEN_PORT = 8080;

/** Nothing is waited for: no soak, the canary, then all the others at once. */
export function floorText({ canary }: { readonly canary: number }): string {
  return `apiVersion: holdfast/v1
kind: Floor
name: bench
selector: { all: true }
management:
  - { name: operators, networks: ${CONTROL_ADDRESS}/32, tcpPorts: 22 }
trial: { reconnect: 20s, soak: 0s, window: 60s, confirm: machine }
waves: { canary: ${canary}, percent: [100], atOnce: 1000 }
`;
}

export interface RuleSet {
  /** Name of the policy. */
  readonly name: string;
  /** As YAML: `{ server: web-1 }`. */
  readonly selector: string;
  readonly rules: number;
  /** Which rule is another one than usual; null: none. */
  readonly changed: number | null;
  /** Makes the changed rule another one each time. */
  readonly turn: number;
  readonly mode?: "enforce" | "observe";
}

/** Ports of changed rules begin here, above those of the others. */
const CHANGED_PORTS = 61_000;
const USUAL_PORTS = 60_000;

export function policyText(set: RuleSet): string {
  const lines = Array.from({ length: set.rules - 1 }, (_, at) => {
    const port = at === set.changed ? CHANGED_PORTS + (set.turn % 4_000) : 1 + (at % USUAL_PORTS);
    return `      - { name: rule-${at}, allow: tcp/${port}, from: 10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255} }`;
  });
  return `apiVersion: holdfast/v1
kind: Policy
name: ${set.name}
layer: role
selector: ${set.selector}
firewall:
  mode: ${set.mode ?? "enforce"}
  inbound:
    default: drop
    rules:
${lines.join("\n")}
      - { name: echo, allow: [tcp/${OPEN_PORT}, udp/${OPEN_PORT}], from: any }
`;
}
