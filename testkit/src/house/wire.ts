import type { LabNode } from "../servers/node.ts";

/**
 * What is between the servers and the control plane. Loss is per direction of an established connection or for new ones alone; what is held
 * back arrives late, by TCP's own repetition, unless the connections are cut meanwhile: then it is lost.
 */
export interface WireState {
  /** From agents to the control plane: answers, signs of life. */
  readonly toControl: "open" | "held";
  /** From the control plane to agents: requests. */
  readonly toAgent: "open" | "held";
  /** New connections of agents: let through, left without an answer, or refused. */
  readonly dialling: "open" | "silent" | "refused";
  /** Packets lost in a hundred, both ways. */
  readonly lossPercent: number;
}

const WHOLE: WireState = { toControl: "open", toAgent: "open", dialling: "open", lossPercent: 0 };

export interface WireEnds {
  readonly router: LabNode;
  readonly controls: readonly LabNode[];
  readonly agents: readonly LabNode[];
}

/** The router between the servers' network and the control planes', through which agents dial one address. */
export class Wire {
  readonly #router: LabNode;
  readonly #controls: readonly LabNode[];
  readonly #agents: readonly LabNode[];
  readonly #addresses: readonly string[];
  readonly #port: number;
  #state: WireState = WHOLE;
  #target = "";

  /** `addresses` are what agents dial; they lead to the control plane that `leadTo` names. */
  constructor(ends: WireEnds, addresses: readonly string[], port: number) {
    this.#router = ends.router;
    this.#controls = ends.controls;
    this.#agents = ends.agents;
    this.#addresses = addresses;
    this.#port = port;
  }

  /** From now on new connections go there; the old ones stay where they are. */
  async leadTo(control: string): Promise<void> {
    this.#target = control;
    await this.#load();
  }

  async set(state: Partial<WireState>): Promise<void> {
    this.#state = { ...this.#state, ...state };
    await this.#load();
  }

  async heal(): Promise<void> {
    await this.set(WHOLE);
  }

  /**
   * Ends every session between agents and control planes at both ends, so that what is held back is lost. TCP's keepalive and HTTP/2's pings
   * would take many seconds.
   */
  async cut(): Promise<void> {
    const kill = (place: LabNode, end: "sport" | "dport"): Promise<unknown> =>
      place.exec(["ss", "-K", "-t", "-H", end, "=", `:${String(this.#port)}`]);
    // The control planes first: what an agent still sends meets a closed door.
    await Promise.all(this.#controls.map((control) => kill(control, "sport")));
    await Promise.all(this.#agents.filter((agent) => agent.present).map((agent) => kill(agent, "dport")));
  }

  async #load(): Promise<void> {
    const result = await this.#router.exec(["nft", "-f", "-"], { input: this.#ruleset() });
    if (result.code !== 0) throw new Error(`the wire cannot be set: ${result.stderr}`);
  }

  #ruleset(): string {
    const { toControl, toAgent, dialling, lossPercent } = this.#state;
    const port = String(this.#port);
    const lines = [
      ...(lossPercent === 0 ? [] : [`tcp dport ${port} numgen random mod 100 < ${String(lossPercent)} drop`]),
      ...(lossPercent === 0 ? [] : [`tcp sport ${port} numgen random mod 100 < ${String(lossPercent)} drop`]),
      ...(dialling === "silent" ? [`tcp dport ${port} ct state new drop`] : []),
      ...(dialling === "refused" ? [`tcp dport ${port} ct state new reject with tcp reset`] : []),
      ...(toControl === "held" ? [`tcp dport ${port} ct state != new drop`] : []),
      ...(toAgent === "held" ? [`tcp sport ${port} drop`] : []),
    ];
    return `add table ip wire
delete table ip wire
table ip wire {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr { ${this.#addresses.join(", ")} } tcp dport ${port} dnat to ${this.#target}
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ${lines.join("\n    ")}
  }
}
`;
  }
}
