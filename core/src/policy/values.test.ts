import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { parseExpires } from "./expires.ts";
import { parseDocumentName, parseItemName } from "./name.ts";
import { checkParameter, checkWithin, type ParameterDeclaration, type ParameterValue } from "./parameter.ts";
import { formatPath, parsePath, type Path } from "./path.ts";
import { formatRate, parseRate } from "./rate.ts";
import { parseAddressReference, parseServiceReference } from "./reference.ts";
import { selects, selectorSchema } from "./selector.ts";
import { formatSize, parseSize } from "./size.ts";
import { editDistance, nearestWord } from "./spelling.ts";
import { substitute } from "./substitute.ts";

test("a duration is written in its largest unit and read back", () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), (seconds) => {
      expect(parseDuration(formatDuration(seconds))).toEqual({ ok: true, value: seconds });
    }),
    { numRuns: 300 },
  );
  expect([60, 90, 43_200, 7_776_000].map(formatDuration)).toEqual(["1m", "90s", "12h", "90d"]);
  for (const text of ["60", "1h30m", "-5s", "1.5h", "05s", "s", "5 s", "5S", "500ms"])
    expect(parseDuration(text).ok, text).toBe(false);
});

test("a rate and a size are read back", () => {
  for (const text of ["10/minute", "5/second", "1/hour", "1000/day"]) {
    const rate = parseRate(text);
    expect(rate.ok && formatRate(rate.value)).toBe(text);
  }
  for (const text of ["10", "0/second", "10/min", "10/second/x", "1.5/second"])
    expect(parseRate(text).ok, text).toBe(false);
  for (const text of ["64MiB", "1GiB", "3B", "0B"]) {
    const size = parseSize(text);
    expect(size.ok && formatSize(size.value)).toBe(text);
  }
  expect(parseSize("64M")).toMatchObject({ ok: false, error: expect.stringContaining("write 64MiB") as string });
  for (const text of ["64", "64MB", "064MiB", "9999999999TiB"]) expect(parseSize(text).ok, text).toBe(false);
});

test.each([
  ["2026-12-05T18:00+09:00", "2026-12-05T09:00:00Z"],
  ["2026-12-05T18:00:30-03:30", "2026-12-05T21:30:30Z"],
  ["2024-02-29T00:00Z", "2024-02-29T00:00:00Z"],
])("%s is %s", (text, utc) => {
  expect(parseExpires(text)).toEqual({ ok: true, value: Date.parse(utc) / 1000 });
});

test.each([
  "2026-12-05T18:00",
  "2026-12-05",
  "2026-02-30T00:00Z",
  "2026-13-01T00:00Z",
  "2026-12-05T24:00Z",
  "2026-12-05T18:00+15:00",
  "tomorrow",
  "2026-12-05 18:00Z",
])("%s is no moment", (text) => {
  expect(parseExpires(text).ok).toBe(false);
});

test("a path is read back from its text", () => {
  const part = fc.oneof(
    fc.nat(50),
    fc.constantFrom("a", "net.core.somaxconn", "from", "branch-gateway", 'x"y', "", "0", "a b", "é"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (path: Path) => {
      expect(parsePath(formatPath(path))).toEqual(path);
    }),
    { numRuns: 300 },
  );
  expect(parsePath("a..[")).toBeNull();
});

test("the distance counts one for each slip of the fingers", () => {
  for (const [a, b, distance] of [
    ["allow", "alow", 1],
    ["allow", "allwo", 1],
    ["from", "form", 1],
    ["", "ab", 2],
    ["drop", "drop", 0],
    ["selektor", "selector", 1],
  ] as const) {
    expect(editDistance(a, b), `${a} ${b}`).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  }
  expect(nearestWord("selektor", ["selector", "section"])).toBe("selector");
  expect(nearestWord("to", ["from", "is"])).toBeNull();
});

test("names keep words that have a meaning for themselves", () => {
  for (const name of ["any", "self", "Web", "1a", "a_b", "", "a-", "true"])
    expect(parseItemName(name).ok, name).toBe(false);
  for (const name of ["web", "a", "web-2"]) expect(parseItemName(name).ok, name).toBe(true);
  expect(parseDocumentName("gw.seoul-1").ok).toBe(true);
  expect(parseDocumentName("../etc").ok).toBe(false);
});

test.each([
  ["any", "any"],
  ["self", "self"],
  ["office", "group"],
  ["role:db", "role"],
  ["site:seoul", "site"],
  ["server:db-1", "server"],
  ["zone:guest", "zone"],
  ["10.0.0.0/8", "literal"],
  ["fe80::1", "literal"],
  ["abcd::1", "literal"],
  ["dead-beef", "group"],
])("%s refers to %s", (text, kind) => {
  const reference = parseAddressReference(text);
  expect(reference.ok && reference.value.kind).toBe(kind);
});

test.each(["role:", "rol:db", "end:busan", "fqdn:example.org", "secret:x", "10.0.0.1/8", "Office", "zone:any"])(
  "%s is no address reference",
  (text) => {
    expect(parseAddressReference(text).ok).toBe(false);
  },
);

test("a service reference is a service or a name, and a protocol alone is a slip", () => {
  expect(parseServiceReference("web-ports")).toEqual({ ok: true, value: { kind: "group", name: "web-ports" } });
  expect(parseServiceReference("esp")).toEqual({ ok: true, value: { kind: "literal", service: { protocol: "esp" } } });
  for (const text of ["tcp", "udp", "icmp", "443", "Tcp/443"]) expect(parseServiceReference(text).ok, text).toBe(false);
});

test("a selector: list is or, map is and, server is the name", () => {
  const server = { name: "web-1", labels: { role: "web", site: "seoul" } };
  const selected = (selector: unknown): boolean => selects(selectorSchema.parse(selector), server);
  expect(selected({ all: true })).toBe(true);
  expect(selected({ role: ["db", "web"] })).toBe(true);
  expect(selected({ role: "web", site: "busan" })).toBe(false);
  expect(selected({ server: "web-1" })).toBe(true);
  expect(selected({ rack: "1" })).toBe(false);
  expect(selected({ constructor: "Object" })).toBe(false);
  for (const refused of [{}, { all: false }, { all: true, role: "web" }, { role: true }, { role: [] }])
    expect(selectorSchema.safeParse(refused).success).toBe(false);
});

test.each<[ParameterDeclaration, ParameterValue, boolean]>([
  [{ type: "interface-address" }, "10.20.10.1/24", true],
  [{ type: "interface-address" }, "10.20.10.0/24", false],
  [{ type: "interface-address" }, 5, false],
  [{ type: "address" }, "10.20.10.5", true],
  [{ type: "address" }, ["10.20.10.5"], false],
  [{ type: "networks" }, "any", true],
  [{ type: "networks" }, ["10.0.0.0/8", "2001:db8::/32", "10.0.0.1-10.0.0.5"], true],
  [{ type: "networks" }, ["any", "10.0.0.0/8"], false],
  [{ type: "networks" }, "10.0.0.1/8", false],
  [{ type: "port" }, 8443, true],
  [{ type: "port" }, 0, false],
  [{ type: "port" }, "8443", false],
  [{ type: "choice", of: ["low", "high"] }, "high", true],
  [{ type: "choice", of: ["low", "high"] }, "hihg", false],
])("%j takes %j: %s", (declaration, value, expected) => {
  expect(checkParameter(declaration, value).ok).toBe(expected);
});

test("an address with in: is another host of that network", () => {
  const shop: ParameterDeclaration = { type: "address", in: "staff" };
  const values = { staff: "10.20.10.1/24" };
  expect(checkWithin(shop, "10.20.10.5", values).ok).toBe(true);
  expect(checkWithin(shop, "10.20.11.5", values)).toMatchObject({
    error: expect.stringContaining("10.20.10.0/24") as string,
  });
  expect(checkWithin(shop, "10.20.10.1", values)).toMatchObject({
    error: expect.stringContaining("staff itself") as string,
  });
});

test("whole values are put in, a list into a list as its part, and every place knows where it came from", () => {
  const source = { rules: [{ from: ["a", "$nets", "b", "$one"], port: "$port", why: "$5 a month" }], bad: "$one/24" };
  const filled = substitute(source, { nets: ["x", "y"], one: "z", port: 8443 });
  expect(filled.data).toEqual({
    rules: [{ from: ["a", "x", "y", "b", "z"], port: 8443, why: "$5 a month" }],
    bad: "$one/24",
  });
  expect(filled.uses.map((use) => use.name)).toEqual(["nets", "one", "port"]);
  expect(filled.malformed).toEqual([{ text: "$one/24", path: ["bad"] }]);
  expect([0, 1, 2, 3, 4].map((index) => filled.sourceOf(["rules", 0, "from", index]).at(-1))).toEqual([0, 1, 1, 2, 3]);
});
