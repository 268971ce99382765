import { expect, test } from "vitest";
import { captureFilter, toolCommand } from "./tool-command.ts";

const CAPTURE = {
  tool: "capture",
  interface: "eth0",
  address: null,
  port: null,
  protocol: null,
  count: 10,
  seconds: 5,
} as const;

test("each tool is one program with a bound of its own, and a host comes after all options", () => {
  expect(toolCommand({ tool: "ping", host: "192.0.2.1", family: 4, count: 3 })).toEqual({
    operands: ["-n", "-O", "-4", "-c", "3", "-i", "1", "-W", "2", "-w", "5", "--", "192.0.2.1"],
    longestMs: 20_000,
  });
  expect(toolCommand({ tool: "trace", host: "example.org", family: null, hops: 9 }).operands).toEqual([
    "-n",
    "-m",
    "9",
    "--",
    "example.org",
  ]);
  const database = (host: string, family: 4 | 6 | null) =>
    toolCommand({ tool: "resolve", host, family }).operands.join(" ");
  expect(database("example.org", null)).toBe("ahosts example.org");
  expect(database("example.org", 6)).toBe("ahostsv6 example.org");
  expect(database("192.0.2.1", 6)).toBe("hosts 192.0.2.1");
  expect(database("2001:db8::1", null)).toBe("hosts 2001:db8::1");
  const { operands, longestMs } = toolCommand(CAPTURE);
  expect(operands.join(" ")).toBe("-i eth0 -n -p -U --immediate-mode -s 256 -c 10 -w -");
  expect(longestMs).toBe(5_000);
});

test("a filter is what was given, all of it, in our words", () => {
  expect(captureFilter(CAPTURE)).toEqual([]);
  expect(captureFilter({ ...CAPTURE, protocol: "tcp", address: "192.0.2.1", port: 443 }).join(" ")).toBe(
    "tcp and host 192.0.2.1 and port 443",
  );
  expect(captureFilter({ ...CAPTURE, protocol: "esp", address: "2001:db8::1" }).join(" ")).toBe(
    "( ip proto 50 or ip6 proto 50 ) and host 2001:db8::1",
  );
});
