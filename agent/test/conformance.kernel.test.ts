import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { CHECKS } from "@holdfast/testkit/conformance/run-conformance.ts";
import { runKitOn } from "@holdfast/testkit/conformance/run-on-server.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bothEnds, vpnPair } from "./vpn-pair.ts";

/** The public contract of modules, kept by that of the tunnels; firewall and network stand in the testkit's own test. */

let lab: Lab;
beforeEach(() => {
  lab = Lab.open({ prefix: `hfk-${process.pid}` });
});
afterEach(() => lab.close());

const sh = (script: string): string[] => ["sh", "-c", script];

/** What is loaded and blocked; nothing that counts or is agreed anew, and not what the next boot will load. */
const OWN_TUNNELS = "swanctl --list-conns | grep -v -e theirs; ip route show type blackhole | grep -v 10.99; exit 0";

/** One tunnel's config with some of its fields otherwise. */
function otherwise(config: Json, change: Readonly<Record<string, Json>>): Json {
  const { tunnels } = config as { readonly tunnels: Readonly<Record<string, Readonly<Record<string, Json>>>> };
  const changed = Object.entries(tunnels).map(([name, tunnel]) => [name, { ...tunnel, ...change }] as const);
  return { tunnels: Object.fromEntries(changed) };
}

test("the vpn module keeps the contract, with a real charon", { timeout: 1_260_000 }, async () => {
  const { a: server } = await vpnPair(lab);
  const { a } = bothEnds();
  const { report, code } = await runKitOn(server, "vpn", {
    configs: {
      a,
      b: bothEnds({ key: "second" }).a,
      invalid: [
        { config: otherwise(a, { ikeProposals: ["aes256\n}"] }), field: "ikeProposals" },
        { config: otherwise(a, { keyFile: "../../shadow" }), field: "keyFile" },
        { config: otherwise(a, { updown: "reboot" }), field: "tunnels" },
      ],
    },
    native: sh(OWN_TUNNELS),
    tamper: sh("swanctl --load-conns --file /dev/null"),
    foreign: {
      make: sh(
        "ip route add blackhole 10.99.0.0/16; echo '# theirs' >/etc/swanctl/conf.d/theirs.conf; echo theirs >/etc/holdfast/secrets/vpn/theirs",
      ),
      read: sh("ip route show 10.99.0.0/16; cat /etc/swanctl/conf.d/theirs.conf /etc/holdfast/secrets/vpn/theirs"),
      remove: sh(
        "ip route delete blackhole 10.99.0.0/16; rm -f /etc/swanctl/conf.d/theirs.conf /etc/holdfast/secrets/vpn/theirs",
      ),
    },
  });
  process.stdout.write(report);
  expect(report).toContain(`${String(CHECKS.length)} passed, 0 failed`);
  expect(code).toBe(0);
});
