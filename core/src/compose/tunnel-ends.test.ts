import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import type { TunnelDocument } from "../policy/document.ts";
import { parseDocuments } from "../policy/parse-documents.ts";
import { initiatorOf, tunnelSide } from "./tunnel-ends.ts";

const [EXAMPLE = ""] = readFileSync(
  fileURLToPath(new URL("../../../domains/src/vpn/examples/seoul-busan.yaml", import.meta.url)),
  "utf8",
).split("---\n");
/** The language with tunnels in it: what a section holds is the domain's matter. */
const DOMAINS = [...SAMPLE_DOMAINS, { domain: "vpn", schema: z.unknown(), comesFrom: "tunnel" }] as const;

const KEY = new Map([[null, { keyFile: "seoul-busan-1", certificates: null }]]);

function parse(text: string) {
  return parseDocuments(text, { domains: DOMAINS });
}

function tunnel(text = EXAMPLE): TunnelDocument {
  const { documents, findings } = parse(text);
  expect(findings).toEqual([]);
  const [document] = documents;
  if (document?.kind !== "Tunnel") throw new Error("the example is a Tunnel");
  return document;
}

function says(text: string): readonly string[] {
  return parse(text).findings.map(({ line, path, message }) => `${line ?? 0} ${path}: ${message}`);
}

const replaced = (from: string, to: string): string => {
  expect(EXAMPLE).toContain(from);
  return EXAMPLE.replace(from, to);
};

test("E1: one end is the other with local and remote exchanged", () => {
  type Spec = { local: { address: string | null }; remote: unknown; initiates: boolean; peer: string };
  const spec = (server: string) => {
    const vpn = tunnelSide(tunnel(), server, new Set(), KEY)?.vpn as { tunnels: { "seoul-busan": Spec } };
    return vpn.tunnels["seoul-busan"];
  };
  const [seoul, busan] = [spec("gw-seoul"), spec("gw-busan")];
  expect({ ...busan, peer: "", initiates: true }).toEqual({
    ...seoul,
    local: seoul.remote,
    remote: seoul.local,
    peer: "",
    initiates: true,
  });
  expect([seoul.initiates, busan.initiates]).toEqual([false, true]);
  expect(tunnelSide(tunnel(), "web-1", new Set(), KEY)).toBeNull();
});

test("E2: the end whose address nobody knows begins, else ours, else the first by name", () => {
  const both = tunnel(replaced("dynamic ", "198.51.100.7 ")).body.ends;
  expect(initiatorOf(both).name).toBe("busan");
  const external = replaced("server: gw-busan", "external: true\n    identity: vpn.acme.example");
  expect(initiatorOf(tunnel(external).body.ends).name).toBe("busan");
  expect(initiatorOf(tunnel(external.replace("dynamic ", "192.0.2.44 ")).body.ends).name).toBe("seoul");
});

test("E3: traffic in both directions, closed behind what the tunnel opens", () => {
  const side = tunnelSide(tunnel(), "gw-busan", new Set(["10.20.10.1"]), KEY);
  if (side === null) throw new Error("gw-busan is an end of the example");
  const { first } = side.firewall.forward as { first: { name: string }[] };
  const names = first.map(({ name }) => name);
  expect(names).toEqual([
    "vpn-seoul-busan--office-apps-out",
    "vpn-seoul-busan--ping-out",
    "vpn-seoul-busan--admin-ssh-in",
    "vpn-seoul-busan--ping-in",
    "vpn-seoul-busan--out",
    "vpn-seoul-busan--in",
  ]);
  expect(first.at(-1)).toEqual({
    name: "vpn-seoul-busan--in",
    drop: ["any"],
    from: ["10.10.0.0/16"],
    to: ["10.20.10.0/24"],
  });
  expect(side.expect.map(({ expectation: { from, to } }) => [from, to])).toEqual([
    [["10.20.10.1"], ["10.10.0.1"]],
    [["10.10.0.1"], ["10.20.10.1"]],
    [["10.20.10.0/24"], ["10.10.0.0/16"]],
  ]);
  expect(side.sourceOf(["firewall", "forward", "first", 2, "allow"])).toEqual(["traffic", "rules", 1, "allow"]);
  expect(side.sourceOf(["firewall", "forward", "first", 5])).toEqual(["traffic", "default"]);
});

test.each([
  ["server: gw-busan", "server: gw-seoul", "Both ends are the same server"],
  ["[10.20.10.0/24]", "[10.10.3.0/24]", "overlap"],
  ["[10.20.10.0/24]", "[10.20.10.1/24]", "host bits"],
  ["203.0.113.10 ", "dynamic ", "Nobody knows the address of either end"],
  ["file:seoul-busan-1", "generated@0", "a pre-shared key is never written"],
  ["file:seoul-busan-1", "generatedly", "a pre-shared key is never written"],
  ["file:seoul-busan-1", "file:seoul-busan@2", "a pre-shared key is never written"],
  ["file:seoul-busan-1", "secret:Seoul", "is not a name"],
  ["file:seoul-busan-1", "hunter2hunter2", "never written into a document"],
  ["file:seoul-busan-1", "file:../../etc/shadow", "is not a name"],
  ["via: policy", "via: gre", "via"],
  ["via: policy\n", "", "via is missing"],
  ["clearText: block ", "clearTexd: block ", "did you mean clearText"],
  ["strong-2026 ", "strong-2025 ", "did you mean strong-2026"],
  ["ike: 12h", "ike: 12", "number 12"],
  ["ike: 12h", "ike: 10s", "make sense here"],
  [
    "from: end:busan, to: end:seoul }\n    - { name: admin",
    "from: end:bussan, to: end:seoul }\n    - { name: admin",
    "No end is called bussan",
  ],
  ["from: 10.10.5.0/24", "from: 192.0.2.0/24", "not within the networks of an end"],
  ["from: 10.10.5.0/24", "from: any", "cannot stand in a tunnel"],
  ["name: admin-ssh, ", "name: office-apps,", "stands twice"],
  ["name: seoul-busan", "name: seoul--busan", "two dashes"],
])("%s → %s is refused", (from, to, words) => {
  const said = says(replaced(from, to));
  expect(said.join("\n")).toContain(words);
  expect(said.every((line) => Number(line.split(" ", 1)[0]) > 0)).toBe(true);
});

test("a key that somebody wrote into a document is not repeated in the finding", () => {
  expect(says(replaced("file:seoul-busan-1", "hunter2hunter2")).join()).not.toContain("hunter2");
});

test("any text in any place is refused or carried as it is: no quote, line or sign of it becomes another part", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(
      '"',
      "'",
      "\\",
      "$(id)",
      "; reboot",
      "a\nb",
      "%any",
      "@#00ff",
      "end:",
      "end:\u202e",
      "*",
      "x".repeat(65_536),
    ),
  );
  fc.assert(
    fc.property(hostile, fc.constantFrom("address", "identity", "networks", "from", "psk", "suite"), (text, place) => {
      const quoted = JSON.stringify(text);
      const made = {
        address: replaced("address: 203.0.113.10 ", `address: ${quoted} `),
        identity: replaced("server: gw-seoul", `external: true\n    identity: ${quoted}`),
        networks: replaced("[10.20.10.0/24]", `[${quoted}]`),
        from: replaced("from: 10.10.5.0/24", `from: ${quoted}`),
        psk: replaced("file:seoul-busan-1", quoted),
        suite: replaced("suite: strong-2026", `suite: ${quoted}`),
      }[place];
      const { documents, findings } = parse(made);
      if (documents.length === 0) expect(findings.length).toBeGreaterThan(0);
      else expect(JSON.stringify(documents[0]?.body)).toContain(JSON.stringify(place === "psk" ? text.slice(5) : text));
    }),
    { numRuns: 100 },
  );
});
