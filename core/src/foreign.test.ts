import fc from "fast-check";
import { expect, test } from "vitest";
import { foreignBlocks, foreignFiles, toldForeign } from "./foreign.ts";

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
  expect(toldForeign(blocks, ["one"])).toEqual({ blocks: [blocks[0]], left: 2, unreadable: ["one"] });
  expect(toldForeign(blocks.slice(0, 1), [])).toEqual({ blocks: [blocks[0]], left: 0, unreadable: [] });
});

test("files come in the order of their names; a folder that is not there, or cannot be understood, has none", () => {
  const fact = (stdout: string, status = 0) => ({ status, stdout, stderr: "" });
  expect(foreignFiles(fact('{"b":"2","a":"1","c":3}'))).toEqual([
    ["a", "1"],
    ["b", "2"],
  ]);
  for (const nothing of [undefined, fact("{}", 2), fact("no JSON"), fact("[]"), fact("null")])
    expect(foreignFiles(nothing)).toEqual([]);
});
