import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";

const PATH = { controlPlane: [], inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }] };

function lost(server: SimulatedSystem, config: SystemConfig): readonly string[] {
  return (system.floorLost?.(config, server.observe(), PATH) ?? []).map(({ expected }) => expected);
}

test("nobody listening on a port of the floor is the floor lost; on another port, or without a word on ports, it is not", () => {
  const server = new SimulatedSystem();
  expect(server.observe().listening).toContain(22);
  expect(lost(server, { ssh: { port: [22] } })).not.toContain("sshd on port 22");
  server.listening = [];
  expect(lost(server, { ssh: { port: [22] } })).toContain("sshd on port 22");
  expect(lost(server, {})).toEqual([]);
});
