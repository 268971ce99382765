import type { Json } from "@holdfast/core/base/canonical-json.ts";

/** A firewall that lets these ports in and nothing else. */
export function lettingIn(...ports: readonly number[]): Json {
  const rules = ports.map((port) => ({
    name: `p${port}`,
    verb: "allow",
    services: [`tcp/${port}`],
    from: [{}],
    to: [{}],
  }));
  return {
    mode: "enforce",
    floor: { inbound: [], controlPlane: [] },
    interfaces: {},
    zones: {},
    sets: {},
    needs: [],
    inbound: { default: "drop", rules },
  };
}
