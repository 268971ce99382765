import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../base/canonical-json.ts";
import { type Edit, editData } from "./edit-data.ts";
import { editDocument } from "./edit.ts";
import type { Path } from "./path.ts";
import { readYaml } from "./yaml-source.ts";

const TEXT = `# What this is for.
name: web-host   # the name
labels: { role: web, site: seoul }

rules:           # in order
  # everybody
  - name: web
    allow: [tcp/80, tcp/443]   # both
    from: any

  # the office
  # and its guests
  - { name: ssh, allow: tcp/22, from: office }
  - name: ping
    allow: icmp/echo
empty: []        # nothing yet
text: |
  two
  lines
last: "1:30"
`;

function edited(edit: Edit, text = TEXT): string {
  const result = editDocument(text, edit);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** The lines of both texts that differ, as `- old` and `+ new`. */
function difference(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  return [
    ...a.slice(head, a.length - tail).map((line) => `- ${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+ ${line}`),
  ];
}

test.each<[string, Edit, readonly string[]]>([
  [
    "a scalar keeps its comment",
    { kind: "set", path: ["name"], value: "db-host" },
    ["- name: web-host   # the name", "+ name: db-host   # the name"],
  ],
  [
    "a scalar in a flow map",
    { kind: "set", path: ["labels", "site"], value: "busan" },
    ["- labels: { role: web, site: seoul }", "+ labels: { role: web, site: busan }"],
  ],
  [
    "a new key in a flow map",
    { kind: "set", path: ["labels", "rack"], value: "7" },
    ["- labels: { role: web, site: seoul }", '+ labels: { role: web, site: seoul, rack: "7" }'],
  ],
  [
    "a list on one line keeps its comment",
    { kind: "set", path: ["rules", 0, "allow"], value: ["tcp/443"] },
    ["-     allow: [tcp/80, tcp/443]   # both", "+     allow: [tcp/443]   # both"],
  ],
  [
    "an item of such a list",
    { kind: "remove", path: ["rules", 0, "allow", 0] },
    ["-     allow: [tcp/80, tcp/443]   # both", "+     allow: [tcp/443]   # both"],
  ],
  [
    "a new key in a block map",
    { kind: "set", path: ["rules", 2, "why"], value: "OPS-1: a test" },
    ['+     why: "OPS-1: a test"'],
  ],
  ["a key is removed", { kind: "remove", path: ["rules", 0, "from"] }, ["-     from: any"]],
  [
    "the first key behind a dash is removed",
    { kind: "remove", path: ["rules", 2, "name"] },
    ["-   - name: ping", "-     allow: icmp/echo", "+   - allow: icmp/echo"],
  ],
  [
    "an item goes with the comment lines above it",
    { kind: "remove", path: ["rules", 1] },
    ["-   # the office", "-   # and its guests", "-   - { name: ssh, allow: tcp/22, from: office }"],
  ],
  [
    "the comment above the first item stays",
    { kind: "remove", path: ["rules", 0] },
    ["-   - name: web", "-     allow: [tcp/80, tcp/443]   # both", "-     from: any"],
  ],
  [
    "an item at the end",
    { kind: "insert", path: ["rules"], index: 3, value: { name: "dns", allow: ["udp/53", "tcp/53"] } },
    ["+   - name: dns", "+     allow: [udp/53, tcp/53]"],
  ],
  [
    "an item in the middle stands above the comment of the next",
    { kind: "insert", path: ["rules"], index: 1, value: { name: "dns" } },
    ["+   - name: dns"],
  ],
  [
    "the first item of an empty list",
    { kind: "insert", path: ["empty"], index: 0, value: { name: "a" } },
    ["- empty: []        # nothing yet", "+ empty:        # nothing yet", "+   - name: a"],
  ],
  ["a block text", { kind: "set", path: ["text"], value: "one" }, ["- text: |", "-   two", "-   lines", "+ text: one"]],
  [
    "a missing section is made whole",
    { kind: "set", path: ["firewall", "inbound", "default"], value: "drop" },
    ["+ firewall:", "+   inbound:", "+     default: drop"],
  ],
  [
    "what YAML 1.1 reads otherwise is quoted",
    { kind: "set", path: ["last"], value: "52:54:00:11:00:01" },
    ['- last: "1:30"', '+ last: "52:54:00:11:00:01"'],
  ],
])("%s", (_, edit, expected) => {
  expect(difference(TEXT, edited(edit))).toEqual(expected);
});

test("an item moves with its comments, and back", () => {
  const moved = edited({ kind: "move", path: ["rules"], from: 1, to: 2 });
  expect(moved).toContain("    allow: icmp/echo\n  # the office\n  # and its guests\n  - { name: ssh");
  expect(edited({ kind: "move", path: ["rules"], from: 2, to: 1 }, moved)).toBe(TEXT);
});

test("the last item leaves an empty list: ours and empty", () => {
  expect(edited({ kind: "remove", path: ["a", 0] }, "a:\n  - x # why\nb: 1\n")).toBe("a: [] # why\nb: 1\n");
});

test("a new value never takes the place of comments", () => {
  const block = "dns: # the office's own\n  - 9.9.9.9 # Quad9\n  # the second\n  - 149.112.112.112\nb: 1\n";
  const refused = editDocument(block, { kind: "set", path: ["dns"], value: ["1.1.1.1"] });
  expect(refused).toEqual({
    ok: false,
    error: `the comment "# the office's own" at dns would be lost; edit it in the text`,
  });
  for (const [text, path] of [
    ["a:\n  - x # why\n  - y\n", ["a"]],
    ["a: [x, # why\n  y]\n", ["a"]],
    ["a:\n  - k: 1\n    # why\n    l: 2\n", ["a", 0]],
    ["a: | # why\n  two\n", ["a"]],
  ] as const)
    expect(editDocument(text, { kind: "set", path, value: ["z"] })).toMatchObject({ ok: false });
  // A text with a # in it is no comment, and one behind the value is not in its place.
  expect(edited({ kind: "set", path: ["a"], value: ["z"] }, 'a: ["x # y"] # why\n')).toBe("a: [z] # why\n");
  expect(edited({ kind: "set", path: ["a"], value: "z" }, "a: |\n  # y\nb: 1\n")).toBe("a: z\nb: 1\n");
  // Nor does the end of a list take the comment of the item before it along.
  expect(editDocument("a: [x, # why\n  y]\n", { kind: "remove", path: ["a", 1] })).toMatchObject({ ok: false });
  expect(edited({ kind: "remove", path: ["dns", 1] }, block)).toBe(
    "dns: # the office's own\n  - 9.9.9.9 # Quad9\nb: 1\n",
  );
});

test("a text in a stream keeps what stands before and behind", () => {
  const text = "# head\n---\nname: a\n---\n# tail\n";
  expect(edited({ kind: "set", path: ["name"], value: "b" }, text)).toBe("# head\n---\nname: b\n---\n# tail\n");
});

test("line ends stay what they are", () => {
  expect(edited({ kind: "set", path: ["b"], value: 2 }, "a: 1\r\n")).toBe("a: 1\r\nb: 2\r\n");
});

test("a text with errors, two documents, or nothing at the path is refused", () => {
  for (const [text, path] of [
    ["a: ~\n", ["a"]],
    ["a: 1\n---\nb: 1\n", ["a"]],
    ["a: 1\n", ["a", "b"]],
    ["a: [1]\n", ["a", 4]],
  ] as const) {
    expect(editDocument(text, { kind: "set", path, value: 1 }).ok).toBe(false);
  }
});

// ── any text, any edit ───────────────────────────────────────────────────────

const word = fc.constantFrom(
  "a",
  "web-host",
  "tcp/443",
  "10.0.0.0/8",
  "no",
  "0640",
  "1:30",
  "zone:staff",
  "x y",
  "a: b",
  "#c",
  "",
  "-",
  "$shop",
  "2001:db8::1",
  "'",
  '"',
  "y",
  "é",
);
const key = fc.constantFrom("name", "allow", "from", "to", "why", "on", "k1");
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: "medium" },
    word,
    fc.integer({ min: -5, max: 70_000 }),
    fc.boolean(),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const documentTree = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 5, noNullPrototype: true });

/** A person's text for some data: block and flow mixed, comments and empty lines between. `choices` decides. */
function written(data: Json, choices: () => number, indent = 0): string {
  const pad = " ".repeat(indent);
  const noise = (): string =>
    choices() % 4 === 0 ? `${pad}# note ${choices() % 9}\n` : choices() % 5 === 0 ? "\n" : "";
  const tail = (): string => (choices() % 3 === 0 ? "   # tail\n" : "\n");
  const value = (inner: Json): string => {
    const flow = typeof inner !== "object" || inner === null || Object.keys(inner).length === 0 || choices() % 3 === 0;
    return flow ? ` ${flowText(inner)}${tail()}` : `${tail()}${written(inner, choices, indent + 2)}`;
  };
  if (Array.isArray(data)) return data.map((item: Json) => `${noise()}${pad}-${value(item)}`).join("");
  return Object.entries(data as Record<string, Json>)
    .map(([name, inner]) => `${noise()}${pad}${name === "on" ? '"on"' : name}:${value(inner)}`)
    .join("");
}

function flowText(data: Json): string {
  if (typeof data === "string") return JSON.stringify(data);
  if (typeof data !== "object" || data === null) return String(data);
  if (Array.isArray(data)) return `[${data.map((item: Json) => flowText(item)).join(", ")}]`;
  return `{ ${Object.entries(data as Record<string, Json>)
    .map(([name, inner]) => `"${name}": ${flowText(inner)}`)
    .join(", ")} }`;
}

function pathsIn(data: Json, path: Path = []): readonly Path[] {
  if (typeof data !== "object" || data === null) return [path];
  const inner = Array.isArray(data)
    ? data.flatMap((item: Json, index) => pathsIn(item, [...path, index]))
    : Object.entries(data).flatMap(([name, item]) => pathsIn(item ?? "", [...path, name]));
  return path.length === 0 ? inner : [path, ...inner];
}

function editOf(data: Json, choices: () => number, value: Json): Edit {
  const paths = pathsIn(data);
  const path = paths[choices() % paths.length] ?? [];
  const at = path.reduce<Json | undefined>((inner, part) => (inner as Record<string | number, Json>)[part], data);
  const length = Array.isArray(at) ? at.length : -1;
  switch (choices() % 4) {
    case 0:
      return { kind: "remove", path };
    case 1:
      return length >= 0
        ? { kind: "insert", path, index: choices() % (length + 1), value }
        : { kind: "set", path, value };
    case 2:
      return length > 0
        ? { kind: "move", path, from: choices() % length, to: choices() % length }
        : { kind: "set", path, value };
    default:
      return typeof at === "object" && !Array.isArray(at)
        ? { kind: "set", path: [...path, "new"], value }
        : { kind: "set", path, value };
  }
}

test("any edit of any text says what the same edit of the data says, and leaves every other line alone", () => {
  let refused = 0;
  fc.assert(
    fc.property(documentTree, tree, fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 }), (data, value, random) => {
      let next = 0;
      const choices = (): number => random[next++ % random.length] ?? 0;
      const text = written(data, choices);
      expect(readYaml(text).data).toEqual(data);
      const edit = editOf(data, choices, value);
      const model = editData(data, edit);
      expect(model.ok).toBe(true);
      const result = editDocument(text, edit);
      if (!result.ok) {
        if (edit.kind !== "set" || !/^the comment "# (note \d|tail)" at /.test(result.error)) refused += 1;
        return;
      }
      if (edit.kind === "set") expect(commentCount(result.value)).toBeGreaterThanOrEqual(commentCount(text));
      if (model.ok) expect(readYaml(result.value).data).toEqual(model.value);
      // Every other member of the document is there byte for byte, with all that stands inside it.
      const top = edit.path[0];
      const others = Object.keys(data).filter((name) => name !== top);
      for (const name of others) {
        const own = new RegExp(`^"?${name}"?:.*\\n(?:(?: .*)?\\n)*`, "m").exec(text)?.[0] ?? "missing";
        expect(result.value).toContain(own.trimEnd());
      }
      const comments = (of: string): number => of.split("\n").filter((line) => line.startsWith("#")).length;
      expect(comments(result.value)).toBeGreaterThanOrEqual(comments(text) - countAbove(text, edit));
    }),
    { numRuns: 800 },
  );
  // A form must be able to edit what people write; only comments in the place of the new value are left to the text.
  expect(refused).toBe(0);
});

function commentCount(text: string): number {
  return text.split(/# (?:note \d|tail)/).length - 1;
}

/** Comment lines directly above the removed or moved thing go with it. */
function countAbove(text: string, edit: Edit): number {
  if (edit.kind !== "remove" || edit.path.length !== 1) return 0;
  const lines = text.split("\n");
  let at = lines.findIndex((line) => new RegExp(`^"?${String(edit.path[0])}"?:`).test(line)) - 1;
  let count = 0;
  while (at >= 0 && lines[at]?.startsWith("#") === true) {
    count += 1;
    at -= 1;
  }
  return count;
}
