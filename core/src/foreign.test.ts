import fc from "fast-check";
import { expect, test } from "vitest";
import { foreignBlocks, foreignFacts, readSources, toldForeign } from "./foreign.ts";

const SECTIONS = { begins: /^\[/gm, secret: /key/i };

test("the blocks of a source, put together, are its text byte for byte", () => {
  const line = fc.oneof(fc.constantFrom("[Match]", "[Network]", "", "# [not one]", " [indented]"), fc.string());
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), (lines, ends) => {
      const text = lines.join("\n") + (ends ? "\n" : "");
      const blocks = foreignBlocks("file", text, { ...SECTIONS, secret: null });
      expect(blocks.map((block) => block.text).join("")).toBe(text);
      for (const block of blocks.slice(1)) expect(block.text?.startsWith("[")).toBe(true);
    }),
  );
});

test("a block that may hold a secret is told by its first word alone, and hides no other", () => {
  const text = "# mine\n[Match]\nName=wg0\n[WireGuard] hunter2\nPrivateKey=hunter2\n[Peer]\nAllowedIPs=10.0.0.0/8\n";
  const blocks = foreignBlocks("file", text, SECTIONS);
  expect(blocks.map(({ title }) => title)).toEqual(["", "[Match]", "[WireGuard]", "[Peer]"]);
  expect(blocks[2]?.text).toBeNull();
  expect(JSON.stringify(blocks)).not.toContain("hunter2");
  expect(blocks[3]?.text).toBe("[Peer]\nAllowedIPs=10.0.0.0/8\n");
});

test("what is too large is counted, and all that stands before it is told", () => {
  const block = (text: string) => ({ source: "file", title: "", text });
  const blocks = [block("small"), block("x".repeat(300_000)), block("after")];
  expect(toldForeign({ blocks, unreadable: ["one"] })).toEqual({ blocks: [blocks[0]], left: 2, unreadable: ["one"] });
  expect(toldForeign({ blocks: blocks.slice(0, 1), unreadable: [] })).toMatchObject({ blocks: [blocks[0]], left: 0 });
});

test("files come in the order of their names, without ours; what is not there is nothing, and what cannot be read is said", () => {
  const whole = { begins: null, secret: null };
  const sources = [
    { path: "/etc/x.d", suffix: ".conf", format: whole, isOurs: (path: string) => path === "/etc/x.d/ours.conf" },
    { path: "/etc/x", format: whole },
  ];
  expect(foreignFacts(sources)).toEqual([
    { kind: "folder", name: "/etc/x.d *.conf", path: "/etc/x.d", suffix: ".conf" },
    { kind: "file", name: "/etc/x", path: "/etc/x" },
  ]);
  const fact = (stdout: string, status = 0, stderr = "") => ({ status, stdout, stderr });
  const files = { "/etc/x.d *.conf": fact('{"b.conf":"2","a.conf":"1","c.conf":3,"ours.conf":"0"}') };
  const read = readSources(sources, { ...files, "/etc/x": fact("", 1, "there is no such file") });
  expect(read.blocks.map(({ source, text }) => `${source} ${String(text)}`)).toEqual([
    "/etc/x.d/a.conf 1",
    "/etc/x.d/b.conf 2",
  ]);
  expect(read.unreadable).toEqual([]);
  for (const broken of [fact("no JSON"), fact("null")])
    expect(readSources(sources, { "/etc/x.d *.conf": broken, "/etc/x": fact("", 2, "EACCES: no\nmore") })).toEqual({
      blocks: [],
      unreadable: ["/etc/x.d *.conf: it could not be read", "/etc/x: EACCES: no"],
    });
  expect(readSources(sources, {}).unreadable).toHaveLength(2);
});
