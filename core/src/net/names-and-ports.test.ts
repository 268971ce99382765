import { expect, test } from "vitest";
import { parseInterfaceName } from "./interface-name.ts";
import { parseMac } from "./mac.ts";
import { formatPorts, parsePort, parsePorts } from "./port.ts";

test.each(["eth0", "br-lan", "eth0.10", "wg_0", "enp0s31f6", "a", "fifteen-chars-x"])(
  "%s is an interface name",
  (name) => {
    expect(parseInterfaceName(name)).toEqual({ ok: true, value: name });
  },
);

test.each([
  ["", "empty"],
  ["sixteen-chars-xx", "16 characters"],
  [".", "not an interface name"],
  ["..", "not an interface name"],
  ["a/b", '"/"'],
  ["a b", '" "'],
  ["a:1", '":"'],
  ["eth*", '"*"'],
  ["eth%d", '"%"'],
  ['a"b', "cannot stand"],
  ["eth0\n", "cannot stand"],
  ["-j", "option"],
  ["é", "cannot stand"],
])("interface name %j is refused and the message says %s", (name, part) => {
  const parsed = parseInterfaceName(name);
  expect(parsed.ok ? "accepted" : parsed.error).toContain(part);
});

test("a hardware address has one form", () => {
  expect(parseMac("52:54:00:AA:10:01")).toEqual({ ok: true, value: "52:54:00:aa:10:01" });
  for (const text of [
    "52:54:00:aa:10",
    "52-54-00-aa-10-01",
    "ff:ff:ff:ff:ff:ff",
    "01:00:5e:00:00:01",
    "00:00:00:00:00:00",
    "525400aa1001",
    "5:54:00:aa:10:01",
  ]) {
    expect(parseMac(text).ok, text).toBe(false);
  }
});

test.each(["443", "1", "65535", "4000-4100", "any"])("ports %s are written as they were read", (text) => {
  const parsed = parsePorts(text);
  expect(parsed.ok && formatPorts(parsed.value)).toBe(text);
});

test.each([
  ["0", "not a port"],
  ["65536", "not a port"],
  ["080", "not a port"],
  ["-1", "not a port"],
  ["20-10", "write 10-20"],
  ["10-10", "write 10"],
  ["1-2-3", "range of ports"],
  ["http", "not a port"],
])("ports %s are refused and the message says %s", (text, part) => {
  const parsed = parsePorts(text);
  expect(parsed.ok ? "accepted" : parsed.error).toContain(part);
});

test("a single port is never a range", () => {
  expect(parsePort("4000-4100").ok).toBe(false);
});
