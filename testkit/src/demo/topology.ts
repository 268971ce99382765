import type { Lab } from "../servers/lab.ts";
import type { LabNode } from "../servers/node.ts";
import type { ServerKind } from "../servers/server-kind.ts";
import type { LabServer } from "../servers/server.ts";

/** Addresses of documentation (RFC 5737): nobody can take them for a real network. */
export const CONTROL_ADDRESS = "192.0.2.2";
export const VISITOR_ADDRESS = "192.0.2.200";
export const WEB_ADDRESS = "192.0.2.10";

export interface DemoServer {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  readonly machine: LabServer;
}

export interface Topology {
  /** Where the control plane lives. */
  readonly control: LabNode;
  /** Who fetches from web-1 all the time. */
  readonly visitor: LabNode;
  readonly servers: readonly DemoServer[];
}

/**
 * One street with a web server, two gateways, the control plane and a visitor; behind each gateway an office network. All of it in
 * namespaces: the machine's own network sees nothing.
 */
export async function buildTopology(
  lab: Lab,
  kind: ServerKind,
  keepDiskIn: (server: string) => string,
): Promise<Topology> {
  const street = await lab.network({ name: "street", subnet4: "192.0.2.0/24" });
  const seoul = await lab.network({ name: "seoul", subnet4: "10.10.0.0/24" });
  const busan = await lab.network({ name: "busan", subnet4: "10.20.10.0/24" });
  const onStreet = (name: string, address: string) => ({
    name,
    attachments: [{ network: street, interface: "eth0", addresses: [address] }],
  });

  const control = await lab.bare(onStreet("control", CONTROL_ADDRESS));
  const visitor = await lab.bare(onStreet("visitor", VISITOR_ADDRESS));
  const enable = kind === "systemd" ? ["ssh"] : [];
  const web = lab.server({ ...onStreet("web-1", WEB_ADDRESS), kind, enable, keepDiskIn: keepDiskIn("web-1") });
  const gateway = (name: string, wan: string, office: typeof seoul, lan: string): LabServer =>
    lab.server({
      name,
      kind,
      enable,
      forwarding: true,
      keepDiskIn: keepDiskIn(name),
      attachments: [
        { network: street, interface: "wan", addresses: [wan] },
        { network: office, interface: "lan", addresses: [lan] },
      ],
    });
  return {
    control,
    visitor,
    servers: [
      { name: "web-1", labels: { role: "web", site: "seoul" }, address: WEB_ADDRESS, machine: web },
      {
        name: "gw-seoul",
        labels: { role: "gateway", site: "seoul" },
        address: "192.0.2.20",
        machine: gateway("gw-seoul", "192.0.2.20", seoul, "10.10.0.1"),
      },
      {
        name: "gw-busan",
        labels: { role: "gateway", site: "busan" },
        address: "192.0.2.30",
        machine: gateway("gw-busan", "192.0.2.30", busan, "10.20.10.1"),
      },
    ],
  };
}
