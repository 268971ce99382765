import { PORTS } from "@holdfast/testkit/house/documents.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";

/** Seconds. A whole window is what an end waits in vain. */
export const WINDOW_SECONDS = 50;
/** A tunnel that is begun again after a reboot, on a busy machine. */
export const TUNNEL_WITHIN_MS = 90_000;

const INSIDE = { "gw-a": "10.71.0.1", "gw-b": "10.72.0.1" } as const;

/** A house with two servers, each with strongSwan and a network behind it: the stage of a tunnel between them. Must be closed. */
export class TwoGateways {
  readonly house: House;
  readonly a: HouseServer;
  readonly b: HouseServer;

  private constructor(house: House) {
    this.house = house;
    this.a = house.server("gw-a");
    this.b = house.server("gw-b");
  }

  static async open(): Promise<TwoGateways> {
    const house = await House.open({
      servers: [{ name: "gw-a" }, { name: "gw-b" }],
      trial: { reconnect: 10, soak: 1, window: WINDOW_SECONDS },
    });
    try {
      const gateways = new TwoGateways(house);
      for (const { machine, name } of [gateways.a, gateways.b]) {
        // A network behind the server; a bridge stays up with nobody on it.
        await machine.must(["ip", "link", "add", "inside", "type", "bridge"]);
        await machine.must(["ip", "address", "add", `${INSIDE[name as keyof typeof INSIDE]}/24`, "dev", "inside"]);
        await machine.must(["ip", "link", "set", "inside", "up"]);
        await useOwnDataPlane(machine, true);
      }
      return gateways;
    } catch (error) {
      await house.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** The documents of both servers. */
  servers(): readonly string[] {
    return [this.a, this.b].map(
      ({ name, address }) => `apiVersion: holdfast/v1
kind: Server
name: ${name}
addresses: [${address}, ${INSIDE[name as keyof typeof INSIDE]}]
`,
    );
  }

  /**
   * The tunnel between them.
   * @param auth as it stands in the document
   * @param port what is expected to be open at both ends when packets pass; it may pass too
   */
  tunnel(auth: string, options: { readonly other?: string; readonly port?: number } = {}): string {
    const { other = "server: gw-b", port = PORTS.app } = options;
    return `apiVersion: holdfast/v1
kind: Tunnel
name: pair
ends:
  a: { server: gw-a, address: ${this.a.address}, networks: 10.71.0.0/24 }
  b: { ${other}, address: dynamic, networks: 10.72.0.0/24 }
via: policy
clearText: block
auth: ${auth}
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 10s, then: restart }
traffic:
  default: drop
  rules:
    - { name: app, allow: [${[...new Set([PORTS.app, port])].map((one) => `tcp/${one}`).join(", ")}], from: [end:a, end:b], to: [end:a, end:b] }
expect:
  - { from: ${INSIDE["gw-a"]}, to: ${INSIDE["gw-b"]}, service: tcp/${port}, is: open }
  - { from: ${INSIDE["gw-b"]}, to: ${INSIDE["gw-a"]}, service: tcp/${port}, is: open }
`;
  }

  /** Whether a connection through the tunnel is answered, from both sides. */
  async passes(): Promise<boolean> {
    return (await reaches(this.a, INSIDE["gw-b"])) && (await reaches(this.b, INSIDE["gw-a"]));
  }
}

async function reaches({ machine }: HouseServer, target: string): Promise<boolean> {
  return (await machine.exec(["timeout", "2", "bash", "-c", `: </dev/tcp/${target}/${PORTS.app}`])).code === 0;
}
