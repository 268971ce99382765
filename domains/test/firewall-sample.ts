import { expect } from "vitest";
import type { FirewallConfig, Rule } from "../src/firewall/model.ts";
import { parseFirewallConfig } from "../src/firewall/parse-config.ts";

/** A config with nothing in it but what a test says; checked like one from outside. */
export function sampleConfig(parts: Partial<FirewallConfig>): FirewallConfig {
  const config: FirewallConfig = {
    mode: "enforce",
    floor: { inbound: [], controlPlane: [] },
    interfaces: {},
    zones: {},
    sets: {},
    needs: [],
    ...parts,
  };
  expect(parseFirewallConfig(config)).toEqual({ ok: true, config });
  return config;
}

export function sampleRule(name: string, parts: Partial<Rule>): Rule {
  return { name, verb: "allow", services: ["any"], from: [{}], to: [{}], ...parts };
}
