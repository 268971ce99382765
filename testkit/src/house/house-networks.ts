import type { Lab } from "../servers/lab.ts";
import type { LabNetwork } from "../servers/network.ts";
import type { LabNode } from "../servers/node.ts";

/** Addresses of documentation (RFC 5737): nobody can take them for a real network. */
export const SERVER_NETWORK = "192.0.2.0/24";
export const CONTROL_NETWORK = "198.51.100.0/24";
export const HIDDEN_NETWORK = "203.0.113.0/24";
export const VISITOR_ADDRESS = "192.0.2.200";
/** What agents dial; it belongs to the router, which leads it to one control plane or another. */
export const DIAL_ADDRESS = "198.51.100.10";

/** It leads there too, but no control plane says so: where agents dial when somebody has moved the address and told nobody. */
export const UNTOLD_DIAL_ADDRESS = "198.51.100.11";

/** The load balancer's, where a house has one: agents dial it, and people come through it. */
export const BALANCER_ADDRESS = "198.51.100.20";

const LAN_ROUTER = "192.0.2.1";
const CORE_ROUTER = "198.51.100.1";

export const serverAddress = (index: number): string => `192.0.2.${11 + index}`;
export const hiddenAddress = (index: number): string => `203.0.113.${11 + index}`;
export const controlAddress = (index: number): string => `198.51.100.${2 + index}`;

/** Servers and visitor on one network, control planes on another, a router between them; behind a NAT box a third. */
export interface HouseNetworks {
  readonly lan: LabNetwork;
  readonly hidden: LabNetwork | null;
  readonly router: LabNode;
  readonly controls: readonly LabNode[];
  readonly visitor: LabNode;
  /** A machine beside the control planes, for what is between them and everybody. */
  readonly balancer: LabNode | null;
}

export interface NetworksWanted {
  readonly controls: number;
  readonly hidden: boolean;
  readonly balancer: boolean;
}

export async function buildNetworks(lab: Lab, wanted: NetworksWanted): Promise<HouseNetworks> {
  const lan = await lab.network({ name: "lan", subnet4: SERVER_NETWORK });
  const core = await lab.network({ name: "core", subnet4: CONTROL_NETWORK });
  const router = await lab.bare({
    name: "router",
    forwarding: true,
    attachments: [
      { network: lan, interface: "lan", addresses: [LAN_ROUTER] },
      { network: core, interface: "core", addresses: [CORE_ROUTER, DIAL_ADDRESS, UNTOLD_DIAL_ADDRESS] },
    ],
  });
  const besideControls = (name: string, address: string): Promise<LabNode> =>
    lab.bare({
      name,
      attachments: [{ network: core, interface: "eth0", addresses: [address] }],
      routes: [{ to: "default", via: CORE_ROUTER }],
    });
  const nodes: LabNode[] = [];
  for (let index = 0; index < wanted.controls; index++) {
    nodes.push(await besideControls(`control-${index + 1}`, controlAddress(index)));
  }
  const visitor = await lab.bare({
    name: "visitor",
    attachments: [{ network: lan, interface: "eth0", addresses: [VISITOR_ADDRESS] }],
    routes: [{ to: "default", via: LAN_ROUTER }],
  });
  const balancer = wanted.balancer ? await besideControls("balancer", BALANCER_ADDRESS) : null;
  return {
    lan,
    hidden: wanted.hidden ? await hiddenNetwork(lab, lan) : null,
    router,
    controls: nodes,
    visitor,
    balancer,
  };
}

/** What is in it can dial out and cannot be dialled. */
async function hiddenNetwork(lab: Lab, lan: LabNetwork): Promise<LabNetwork> {
  const hidden = await lab.network({ name: "hidden", subnet4: HIDDEN_NETWORK });
  await lab.natBox({
    name: "nat",
    outside: { network: lan, interface: "wan", addresses: ["192.0.2.9"] },
    inside: { network: hidden, interface: "lan", addresses: ["203.0.113.1"] },
    routes: [{ to: "default", via: LAN_ROUTER }],
  });
  return hidden;
}

export const routeOf = (isHidden: boolean) => [{ to: "default", via: isHidden ? "203.0.113.1" : LAN_ROUTER }] as const;
