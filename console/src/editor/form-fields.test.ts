import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { expect, test } from "vitest";
import { documentSchema } from "../../mock-api/document-schema.ts";
import { addItem, addSetting, editField, type Field, fieldAt, isReadable, isWritten, newValue } from "./form-fields.ts";
import { inlineSchema } from "./inline-schema.ts";

const POLICY = inlineSchema(documentSchema("Policy"));
const TUNNEL = inlineSchema(documentSchema("Tunnel"));

const TEXT = `apiVersion: holdfast/v1
kind: Policy
name: gateway
layer: role
selector: { role: gateway }
network:
  forwarding: { ipv4: true }       # they route for the office
  interfaces:
    # the cable to the provider
    wan:
      mtu: 1500
      ipv4: { method: static, addresses: 203.0.113.10/26, gateways: [203.0.113.1] }
      routes:
        - { to: 10.0.0.0/8, via: 203.0.113.2 }
  dns: [9.9.9.9, 149.112.112.112]
system:
  sysctl: { net.core.somaxconn: 4096 }
  banners:
    motd: |
      Welcome.
      Behave.
`;

const at = (text: string, ...path: readonly (string | number)[]): Field => {
  const found = fieldAt(text, POLICY, path.slice(0, 1));
  if (found === null) throw new Error("nothing there");
  return path.slice(1).reduce<Field>((field, part) => {
    const { shape } = field;
    const inner =
      shape.kind === "group"
        ? shape.fields
        : shape.kind === "named"
          ? shape.entries
          : shape.kind === "list"
            ? shape.items
            : [];
    const next = typeof part === "number" ? inner[part] : inner.find((one) => one.key === part);
    if (next === undefined) throw new Error(`no ${part} in ${field.key}: ${JSON.stringify(shape)}`);
    return next;
  }, found);
};
const must = (edited: { readonly ok: boolean; readonly value?: string }): string => {
  if (!edited.ok || edited.value === undefined) throw new Error(JSON.stringify(edited));
  return edited.value;
};

test("references of the published schema stand in their places, and one that leads into itself ends", () => {
  expect(JSON.stringify(POLICY)).not.toContain("$ref");
  const odd = { $defs: { a: { type: "object", properties: { self: { $ref: "#/$defs/a" } } } }, $ref: "#/$defs/a" };
  expect(inlineSchema(odd)).toEqual({ type: "object", properties: { self: {} } });
  expect(inlineSchema(null)).toEqual({});
  expect(DOMAIN_LANGUAGES.length).toBe(4);
});

test("what is written has a field of its shape; what is not is offered", () => {
  const network = at(TEXT, "network");
  expect(network.shape).toMatchObject({ kind: "group", absent: ["search"] });
  expect(at(TEXT, "network", "forwarding", "ipv4").shape).toEqual({ kind: "switch", on: true });
  const wan = at(TEXT, "network", "interfaces", "wan");
  expect(wan.shape).toMatchObject({ kind: "group" });
  expect(at(TEXT, "network", "interfaces").shape.kind).toBe("named");
  expect(at(TEXT, "network", "interfaces", "wan", "mtu").shape).toEqual({ kind: "line", text: "1500" });
  expect(at(TEXT, "network", "interfaces", "wan", "ipv4", "method").shape).toEqual({
    kind: "choice",
    value: "static",
    choices: ["static", "dhcp", "none"],
  });
  expect(at(TEXT, "network", "dns").shape).toEqual({ kind: "line", text: "9.9.9.9, 149.112.112.112" });
  expect(at(TEXT, "network", "interfaces", "wan", "ipv4", "addresses").shape).toEqual({
    kind: "line",
    text: "203.0.113.10/26",
  });
  expect(at(TEXT, "network", "interfaces", "wan", "routes", 0, "to").shape).toMatchObject({ text: "10.0.0.0/8" });
  expect(at(TEXT, "system", "sysctl", "net.core.somaxconn").shape).toMatchObject({ text: "4096" });
  // More than a line is left to the text.
  expect(at(TEXT, "system", "banners", "motd").shape.kind).toBe("inText");
});

test("an edit of a field is an edit of the text: comments and everything else stay", () => {
  const mtu = must(editField(TEXT, POLICY, ["network", "interfaces", "wan", "mtu"], { kind: "line", text: "1400" }));
  expect(mtu).toBe(TEXT.replace("mtu: 1500", "mtu: 1400"));
  const off = must(editField(TEXT, POLICY, ["network", "forwarding", "ipv4"], { kind: "switch", on: false }));
  expect(off).toContain("forwarding: { ipv4: false }       # they route for the office");
  const dns = must(editField(TEXT, POLICY, ["network", "dns"], { kind: "line", text: "9.9.9.9" }));
  expect(dns).toContain('  dns: "9.9.9.9"\n');
  const gone = must(editField(TEXT, POLICY, ["network", "dns"], { kind: "line", text: " " }));
  expect(gone).not.toContain("dns:");
  expect(gone).toContain("# the cable to the provider");
  const more = must(addSetting(TEXT, ["network", "interfaces", "lan"], {}));
  expect(at(more, "network", "interfaces", "lan").shape).toMatchObject({ kind: "group", fields: [] });
  const routes = must(addItem(TEXT, ["network", "interfaces", "wan", "routes"], 1));
  expect(at(routes, "network", "interfaces", "wan", "routes", 1).shape).toMatchObject({ kind: "group" });
  const sysctl = must(
    editField(TEXT, POLICY, ["system", "sysctl", "vm.swappiness"], {
      kind: "line",
      text: "10",
    }),
  );
  expect(sysctl).toContain("vm.swappiness");
  expect(sysctl).toContain("net.core.somaxconn: 4096");
});

test("a new setting begins with the simplest value of its shape, or waits for what is typed", () => {
  expect(newValue(POLICY, ["network", "interfaces", "wan", "enable"])).toBe(true);
  expect(newValue(POLICY, ["network", "interfaces", "wan", "ipv6"])).toEqual({});
  expect(newValue(POLICY, ["network", "interfaces", "wan", "rules"])).toEqual([]);
  expect(newValue(POLICY, ["network", "interfaces", "wan", "ipv4", "method"])).toBe("static");
  expect(newValue(POLICY, ["network", "dns"])).toBeNull();
  // One that must be a list is one, however many words it has.
  const use = ["network", "interfaces", "wan", "ipv4", "use"];
  expect(must(editField(TEXT, POLICY, use, { kind: "line", text: "address" }))).toMatch(/use: \[.?address.?\]/);
});

test("a tunnel is one form: both ends, suite, lifetimes and traffic; its head is no setting", () => {
  const text = `apiVersion: holdfast/v1
kind: Tunnel
name: a-b
ends:
  a: { server: gw-a, address: 203.0.113.10, networks: [10.1.0.0/16] }
  b: { server: gw-b, address: dynamic, networks: 10.2.0.0/16 }
via: policy
clearText: block
`;
  const whole = fieldAt(text, TUNNEL, []);
  expect(whole?.shape).toMatchObject({ kind: "group" });
  const keys = whole?.shape.kind === "group" ? whole.shape.fields.map(({ key }) => key) : [];
  expect(keys).toEqual(["ends", "via", "clearText"]);
  const absent = whole?.shape.kind === "group" ? whole.shape.absent : [];
  expect(absent).toEqual(["description", "auth", "suite", "lifetime", "dead", "traffic", "expect"]);
});

test("a text that cannot be read has no form, and nothing is lost", () => {
  expect(isReadable("network: [")).toBe(false);
  expect(isReadable(TEXT)).toBe(true);
  expect(fieldAt("- 1\n", POLICY, ["network"])).toBeNull();
  expect(fieldAt("kind: Policy\n", POLICY, ["network"])).toBeNull();
});

const PEOPLE = `apiVersion: holdfast/v1
kind: Policy
name: people
layer: role
selector: { role: gateway }
system:
  users:
    kim:
      groups: [ops]
      keys:                          # asked of kim on Monday
        - ssh-ed25519 AAAA kim@office # the laptop
        # kept in the safe
        - ssh-ed25519 BBBB kim@home
    lee: { keys: ["ssh-ed25519 CCCC Lee, at home", "ssh-ed25519 DDDD lee"] }
    park: { keys: "ssh-ed25519 EEEE Park, at home" }
`;
const KEYS = ["system", "users", "kim", "keys"] as const;

test("items that hold blanks are apart by commas; one with a comma is left to the text", () => {
  const shown = "ssh-ed25519 AAAA kim@office, ssh-ed25519 BBBB kim@home";
  expect(at(PEOPLE, ...KEYS).shape).toEqual({ kind: "line", text: shown });
  for (const name of ["lee", "park"]) expect(at(PEOPLE, "system", "users", name, "keys").shape.kind).toBe("inText");
  const more = must(editField(PEOPLE, POLICY, KEYS, { kind: "line", text: `${shown}, ssh-ed25519 FFFF kim` }));
  expect(at(more, ...KEYS).shape).toEqual({ kind: "line", text: `${shown}, ssh-ed25519 FFFF kim` });
  const one = must(
    editField(TEXT, POLICY, ["system", "users", "kim", "keys"], { kind: "line", text: "ssh-ed25519 AAAA kim" }),
  );
  expect(one).toContain('keys: "ssh-ed25519 AAAA kim"');
  // Other words are apart by blanks too, as people type them.
  const dns = must(editField(TEXT, POLICY, ["network", "dns"], { kind: "line", text: "9.9.9.9  149.112.112.112" }));
  expect(dns).toBe(TEXT);
});

test("a word that looks like a number is one only where the schema has numbers", () => {
  const line = (path: readonly string[], text: string): string =>
    must(editField(TEXT, POLICY, path, { kind: "line", text }));
  expect(line(["system", "ssh", "allowUsers"], "kim, 1000")).toContain('allowUsers: [kim, "1000"]');
  expect(line(["system", "ssh", "allowUsers"], "1000")).toContain('allowUsers: "1000"');
  expect(line(["system", "ssh", "port"], "22, 2222")).toContain("port: [22, 2222]");
  expect(line(["system", "ssh", "port"], "2222")).toContain("port: 2222");
});

test("a commented list over several lines is edited item by item: its comments stay", () => {
  const edit = (text: string): string => must(editField(PEOPLE, POLICY, KEYS, { kind: "line", text }));
  const [office, home] = ["ssh-ed25519 AAAA kim@office", "ssh-ed25519 BBBB kim@home"];
  expect(edit(`${office}, ssh-ed25519 GGGG kim@home`)).toBe(PEOPLE.replace(home, '"ssh-ed25519 GGGG kim@home"'));
  expect(edit(`${office}, ${home}, ssh-ed25519 GGGG kim`)).toBe(
    PEOPLE.replace(home, `${home}\n        - "ssh-ed25519 GGGG kim"`),
  );
  expect(edit(`ssh-ed25519 GGGG kim, ${office}, ${home}`)).toBe(
    PEOPLE.replace(`- ${office}`, `- "ssh-ed25519 GGGG kim"\n        - ${office}`),
  );
  // An item goes with the comment above it; all others stay, and a list that has comments stays a list.
  expect(edit(office)).toBe(PEOPLE.replace(`        # kept in the safe\n        - ${home}\n`, ""));
  const other = edit("ssh-ed25519 GGGG kim");
  expect(other).toContain("# asked of kim on Monday");
  expect(other).toContain('- "ssh-ed25519 GGGG kim" # the laptop');
  expect(edit("  ")).not.toContain("# asked of kim on Monday");
});

test("what is written is known by its name, and nothing else is", () => {
  expect(isWritten(TEXT, ["network", "interfaces", "wan"])).toBe(true);
  expect(isWritten(TEXT, ["system", "sysctl", "net.core.somaxconn"])).toBe(true);
  for (const name of ["lan", "constructor", "__proto__"])
    expect(isWritten(TEXT, ["network", "interfaces", name])).toBe(false);
});
