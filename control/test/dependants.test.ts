/** Who says an address that a server loses is told while it is planned; whoever names the server instead has nothing to do. */
import { expect, test, vi } from "vitest";
import { applied, planned, policy } from "./api-changes.ts";
import { EVERYTHING, withApi } from "./api-house.ts";

vi.setConfig({ testTimeout: 60_000 });

const wan = (role: string, address: string, hostname: string) => `apiVersion: holdfast/v1
kind: Policy
name: wan-of-${role}
description: 10.1.0.5 was the first one.
layer: role
selector: { role: ${role} }
network:
  interfaces:
    wan:
      ipv4: { method: static, addresses: ${address}/24 }
      ipv6: { method: none }
system:
  hostname: ${hostname}
`;
const group = (address: string) => `apiVersion: holdfast/v1
kind: Group
name: front
addresses: [192.0.2.7, ${address}]
`;
const LOGS = `apiVersion: holdfast/v1
kind: Policy
name: logs
layer: role
selector: { role: db }
system:
  logs:
    to: { host: front.example.com, port: 514, by: tcp }
`;

test("an address and a host name that a server loses: each document that still says one is named, with the line", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    await api.server(kim, "db-1", { role: "db" });
    const told = async (...texts: string[]) =>
      (await planned(api, kim, texts)).plans.flatMap(({ server, status, findings }) =>
        findings
          .filter(({ code }) => code === "plan.still_called")
          .map(({ severity, document, path, line }) => [server, status, severity, document, path, line]),
      );
    const first = wan("web", "10.1.0.5", "front.example.com");
    await applied(api, kim, await planned(api, kim, [first, group("10.1.0.5"), LOGS, policy("web", 443)]));

    const moved = wan("web", "10.1.0.6", "face.example.com");
    const logs = ["web-1", "planned", "warning", "Policy/logs", "system.logs.to.host", 8];
    expect(await told(moved)).toEqual([["web-1", "planned", "warning", "Group/front", "addresses[1]", 4], logs]);
    // Mended in the same change, or by what follows by itself.
    expect(await told(moved, group("10.1.0.6"))).toEqual([logs]);
    expect(await told(moved, group("server:web-1"))).toEqual([logs]);
    // Another server takes both over: then they are said of that one.
    expect(await told(moved, wan("db", "10.1.0.5", "front.example.com"))).toEqual([]);
    expect(await told(policy("web", 8443))).toEqual([]);
  });
});
