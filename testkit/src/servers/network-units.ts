import { isIPv6 } from "node:net";
import { inSubnet } from "./network.ts";
import type { NodeSpec } from "./node.ts";

/** The node's addresses and routes as systemd-networkd files, for a server that configures its network itself. */
export function networkUnits(spec: NodeSpec): Readonly<Record<string, string>> {
  const routed = new Set<string>();
  return Object.fromEntries(
    spec.attachments.map((attachment) => {
      const addresses = (attachment.addresses ?? []).map((address) => attachment.network.withPrefix(address));
      const routes = (spec.routes ?? []).filter(
        (route) => !routed.has(route.to + route.via) && addresses.some((address) => inSubnet(address, route.via)),
      );
      for (const route of routes) routed.add(route.to + route.via);
      const lines = [
        "[Match]",
        `Name=${attachment.interface}`,
        "",
        "[Network]",
        "DHCP=no",
        "IPv6AcceptRA=no",
        "LinkLocalAddressing=ipv6",
        ...addresses.flatMap((address) => [
          "",
          "[Address]",
          `Address=${address}`,
          ...(isIPv6(address.split("/")[0] ?? "") ? ["DuplicateAddressDetection=none"] : []),
        ]),
        ...routes.flatMap((route) => [
          "",
          "[Route]",
          ...(route.to === "default" ? [] : [`Destination=${route.to}`]),
          `Gateway=${route.via}`,
        ]),
      ];
      return [`/etc/systemd/network/10-${attachment.interface}.network`, `${lines.join("\n")}\n`];
    }),
  );
}
