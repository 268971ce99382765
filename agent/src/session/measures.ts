import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";

export const COMMAND_VERBS = ["prepare", "execute", "confirm", "abort", "release", "tunnel"] as const;
export type CommandVerb = (typeof COMMAND_VERBS)[number];
const RESULTS = ["passed_on", "refused"] as const;
type CommandResult = (typeof RESULTS)[number];

/** What the session reads of its own process when it is asked. */
export interface ProcessFacts {
  readonly version: string;
  readonly connections: number;
  /** Unix milliseconds; null: there is no certificate that can be read. */
  readonly certificateEndsMs: number | null;
  readonly nowMs: number;
  readonly residentBytes: number;
  readonly uptimeSeconds: number;
}

/**
 * What one server's agent counts, for who watches the server itself. Every sample is there from the start, and none holds more than words of
 * ours: it never grows. Nothing is read from guard or modules for it: being looked at wakes nobody.
 */
export class Measures {
  #sessions = 0;
  #failedDials = 0;
  readonly #commands = new Map<string, number>();
  readonly #drifted = new Map<DomainName, boolean>();
  readonly #floorLost = new Map<DomainName, boolean>();

  sessionBegan(): void {
    this.#sessions += 1;
  }

  dialFailed(): void {
    this.#failedDials += 1;
  }

  command(verb: CommandVerb, result: CommandResult): void {
    const key = `${verb} ${result}`;
    this.#commands.set(key, (this.#commands.get(key) ?? 0) + 1);
  }

  drift(domain: string, isDrifted: boolean, isFloorLost: boolean): void {
    const known = DOMAINS.find((one) => one === domain);
    if (known === undefined) return;
    this.#drifted.set(known, isDrifted);
    this.#floorLost.set(known, isFloorLost);
  }

  /** Prometheus' text format. */
  text(facts: ProcessFacts): string {
    const untilEnd = facts.certificateEndsMs === null ? 0 : (facts.certificateEndsMs - facts.nowMs) / 1_000;
    return [
      family("holdfast_agent_info", "gauge", "Which agent this is", [[`{version="${facts.version}"}`, 1]]),
      family("holdfast_agent_connected", "gauge", "1 while a control plane is connected", [
        ["", facts.connections > 0 ? 1 : 0],
      ]),
      family("holdfast_agent_sessions_total", "counter", "Connections with a control plane that began", [
        ["", this.#sessions],
      ]),
      family("holdfast_agent_dial_failures_total", "counter", "Dials that came to nothing", [["", this.#failedDials]]),
      family(
        "holdfast_agent_commands_total",
        "counter",
        "Signed commands, by what the guard said to them",
        COMMAND_VERBS.flatMap((verb) =>
          RESULTS.map((result): Sample => [
            `{verb="${verb}",result="${result}"}`,
            this.#commands.get(`${verb} ${result}`) ?? 0,
          ]),
        ),
      ),
      family(
        "holdfast_agent_drifted",
        "gauge",
        "1 where the live state was not the confirmed one at the last look",
        DOMAINS.map((domain): Sample => [`{domain="${domain}"}`, this.#drifted.get(domain) === true ? 1 : 0]),
      ),
      family(
        "holdfast_agent_floor_lost",
        "gauge",
        "1 where what lets management in did not hold at the last look",
        DOMAINS.map((domain): Sample => [`{domain="${domain}"}`, this.#floorLost.get(domain) === true ? 1 : 0]),
      ),
      family("holdfast_agent_certificate_expiry_seconds", "gauge", "Until the certificate ends; 0 without one", [
        ["", Math.round(untilEnd)],
      ]),
      family("holdfast_agent_resident_bytes", "gauge", "Memory of the session's process", [["", facts.residentBytes]]),
      family("holdfast_agent_uptime_seconds", "gauge", "Since the session's process began", [
        ["", Math.round(facts.uptimeSeconds)],
      ]),
    ].join("");
  }
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: "gauge" | "counter", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join("");
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
}
