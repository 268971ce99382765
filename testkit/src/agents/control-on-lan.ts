import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ControlInstance } from "../control-plane/control-instance.ts";
import { Operator } from "../operator/operator.ts";
import { Lab } from "../servers/lab.ts";
import type { LabNetwork } from "../servers/network.ts";
import { Relay } from "../servers/relay.ts";
import type { ServerKind } from "../servers/server-kind.ts";
import type { LabServer } from "../servers/server.ts";

const CONTROL = "192.0.2.2";
const HTTP_PORT = 7080;

/** One network with the real control plane on it and servers that have no agent yet, for tests of installing one. Must be closed. */
export class ControlOnLan {
  readonly lab: Lab;
  readonly operator: Operator;
  readonly #lan: LabNetwork;
  readonly #control: ControlInstance;
  readonly #door: Relay;
  readonly #data: string;

  private constructor(
    lab: Lab,
    lan: LabNetwork,
    control: ControlInstance,
    door: Relay,
    data: string,
    operator: Operator,
  ) {
    this.lab = lab;
    this.operator = operator;
    this.#lan = lan;
    this.#control = control;
    this.#door = door;
    this.#data = data;
  }

  static async open(prefix: string): Promise<ControlOnLan> {
    // The database's user must be able to enter it.
    const data = mkdtempSync("/var/tmp/holdfast-lan-");
    chmodSync(data, 0o711);
    const lab = Lab.open({ prefix, hidden: [data] });
    let control: ControlInstance | undefined;
    try {
      const lan = await lab.network({ name: "lan", subnet4: "192.0.2.0/24" });
      const place = await lab.bare({
        name: "control",
        attachments: [{ network: lan, interface: "eth0", addresses: [CONTROL] }],
      });
      control = new ControlInstance(place, {
        HOLDFAST_DATA_DIR: join(data, "control"),
        HOLDFAST_HTTP_PORT: String(HTTP_PORT),
        HOLDFAST_AGENT_PORT: "7081",
        HOLDFAST_METRICS_PORT: "7082",
        HOLDFAST_AGENT_NAMES: CONTROL,
        HOLDFAST_ENROLMENT_APPROVAL: "off",
      });
      const door = await Relay.into(lab, { host: "127.0.0.1", port: 0 }, place, { host: "127.0.0.1", port: HTTP_PORT });
      const url = `http://127.0.0.1:${String(door.port)}`;
      await control.ready(url);
      const login = await control.login;
      if (login === null) throw new Error(`the control plane gave no login:\n${control.output}`);
      const { operator } = await Operator.first(url, login);
      return new ControlOnLan(lab, lan, control, door, data, operator);
    } catch (error) {
      await control?.stop();
      await lab.close();
      rmSync(data, { recursive: true, force: true });
      throw error;
    }
  }

  /** A booted server; `host` is the last part of its address. */
  async server(name: string, kind: ServerKind, host: number): Promise<LabServer> {
    const attachments = [{ network: this.#lan, interface: "eth0", addresses: [`192.0.2.${String(host)}`] }];
    const server = this.lab.server({ name, kind, attachments });
    await server.start();
    return server;
  }

  async close(): Promise<void> {
    await this.#control.stop();
    await this.#door.close();
    await this.lab.close();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
