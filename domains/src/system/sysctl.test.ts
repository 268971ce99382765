import fc from "fast-check";
import { expect, test } from "vitest";
import { sysctlValue, sysctlWords } from "./sysctl-catalogue.ts";
import { linesOfFile, setsKey, sysctlFileText } from "./sysctl-files.ts";
import { bySpread, parseSysctlKey, reaches, sysctlPath } from "./sysctl-key.ts";

test.each([
  ["net.core.somaxconn", "net/core/somaxconn"],
  ["net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"],
  ["vm.swappiness", "vm/swappiness"],
])("%s is the file %s", (key, path) => {
  expect(parseSysctlKey(key)).toEqual({ ok: true, value: key });
  expect(sysctlPath(key)).toBe(path);
});

test("no key leads out of /proc/sys, whatever it is made of", () => {
  const part = fc.oneof(
    fc.constantFrom("net", "vm", "..", ".", "", "/", "../etc", "a/b", "~", "-"),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const key = parts.join(".");
      if (!parseSysctlKey(key).ok) return;
      const path = sysctlPath(key);
      expect(path).toMatch(/^(fs|kernel|net|user|vm)\//);
      for (const one of path.split("/")) expect(one).not.toMatch(/^\.{0,2}$/);
    }),
    { numRuns: 1000 },
  );
});

test("a value comes back in the words in which a policy writes it", () => {
  expect(sysctlValue("net.ipv4.conf.all.rp_filter", "loose")).toEqual({ ok: true, value: "2" });
  expect(sysctlWords("net.ipv4.conf.all.rp_filter", "2")).toBe("loose (2)");
  expect(sysctlValue("net.ipv4.conf.all.rp_filter", "toString").ok).toBe(false);
  expect(sysctlValue("net.ipv4.tcp_rmem", "1 2").ok).toBe(false);
  expect(sysctlValue("net.unknown.setting", "anything printable")).toEqual({ ok: true, value: "anything printable" });
});

test("the boot file reads back as what was written into it", () => {
  const key = fc.constantFrom("net.core.somaxconn", "net.ipv4.conf.eth0/100.rp_filter", "vm.swappiness");
  fc.assert(
    fc.property(fc.dictionary(key, fc.constantFrom("1", "1 2 3", "bbr")), (settings) => {
      const text = sysctlFileText(settings);
      const lines = linesOfFile("/x", text ?? "");
      expect(Object.fromEntries(lines.map((line) => [line.key, line.value]))).toEqual({ ...settings });
    }),
  );
});

test("lines of others are read as sysctl.d has them: comments, slashes, wildcards, lines that only exclude", () => {
  const text =
    "# a\n; b\nnet/ipv4/conf/eth0.100/rp_filter=1\n-net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n";
  const lines = linesOfFile("/etc/sysctl.d/50.conf", text);
  expect(lines.map(({ line, key, value }) => [line, key, value])).toEqual([
    [3, "net.ipv4.conf.eth0/100.rp_filter", "1"],
    [4, "net.ipv4.conf.*.rp_filter", "2"],
  ]);
  const [exact, wild] = lines;
  expect(exact !== undefined && setsKey(exact, "net.ipv4.conf.eth0/100.rp_filter")).toBe(true);
  expect(wild !== undefined && setsKey(wild, "net.ipv4.conf.eth0.rp_filter")).toBe(true);
  expect(wild !== undefined && setsKey(wild, "net.ipv4.conf.eth0.forwarding")).toBe(false);
});

test("what reaches others is set before them", () => {
  const keys = [
    "net.ipv4.conf.eth0.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
  ];
  expect(keys.toSorted(bySpread)).toEqual(keys.toReversed());
  expect(reaches("net.ipv4.ip_forward", "net.ipv4.conf.eth0.forwarding")).toBe(true);
  expect(reaches("net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0.rp_filter")).toBe(true);
  expect(reaches("net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.eth1.rp_filter")).toBe(false);
});
