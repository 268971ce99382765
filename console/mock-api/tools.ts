import type { TOOL_EVENTS, toolsSchema } from "@holdfast/core/api/tool.ts";
import { TOOLS } from "@holdfast/core/tool/tool.ts";
import type { z } from "zod";

/** All but one, so that a page has to say why. */
export const TOOLS_HERE: z.input<typeof toolsSchema> = {
  tools: TOOLS.map((tool) =>
    tool === "trace"
      ? {
          tool,
          available: false,
          code: "tools.missing_program",
          reason: "it has no /usr/bin/tracepath: install the package iputils-tracepath",
        }
      : { tool, available: true, code: null, reason: null },
  ),
};

const PING = `PING 192.0.2.53 (192.0.2.53) 56(84) bytes of data.
64 bytes from 192.0.2.53: icmp_seq=1 ttl=63 time=0.412 ms
64 bytes from 192.0.2.53: icmp_seq=2 ttl=63 time=0.388 ms
no answer yet for icmp_seq=3
64 bytes from 192.0.2.53: icmp_seq=4 ttl=63 time=0.401 ms

--- 192.0.2.53 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 3051ms
rtt min/avg/max/mdev = 0.388/0.400/0.412/0.009 ms
`;

/** Ethernet, IPv4 and TCP between two that a page can name; the flags in the last byte but six. */
function headers(flags: number, isBack: boolean): string {
  const [near, far] = ["c6336414", "cb007109"];
  const ports = isBack ? "01bb c8f2" : "c8f2 01bb";
  const hex = `020000000001 020000000002 0800 4500 0034 1234 4000 40 06 0000 ${isBack ? near + far : far + near} ${ports} 00000001 00000002 50 ${flags.toString(16).padStart(2, "0")} faf0 0000 0000`;
  const bytes = (hex.replaceAll(" ", "").match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  return btoa(String.fromCharCode(...bytes));
}

const SYN = 0x02;
const ACK = 0x10;
const HANDSHAKE = [
  [SYN, false],
  [SYN | ACK, true],
  [ACK, false],
] as const;

/** What a run says, all of it at once; a host that never answers is left running, so that it can be stopped. */
export function toolText(ask: Readonly<Record<string, unknown>>, nowMs: number): { text: string; isOver: boolean } {
  const event = <Name extends keyof typeof TOOL_EVENTS>(
    name: Name,
    data: z.input<(typeof TOOL_EVENTS)[Name]>,
  ): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const begun = event("begun", { id: "01900000-0000-7000-8000-000000000001", tool: "ping" });
  if (ask["tool"] === "capture") {
    const packets = HANDSHAKE.map(([flags, isBack], at) => ({
      seconds: Math.floor(nowMs / 1000),
      micros: 1_000 * at,
      length: 66,
      headers: headers(flags, isBack),
    }));
    return {
      text:
        begun +
        event("packets", { linkType: 1, packets }) +
        event("ended", { outcome: "done", message: "3 packets captured\n0 packets dropped by kernel" }),
      isOver: true,
    };
  }
  if (ask["host"] === "silent.example")
    return { text: begun + event("output", { text: "no answer yet for icmp_seq=1\n" }), isOver: false };
  const text = ask["tool"] === "resolve" ? "192.0.2.53      STREAM ns1.example.org\n" : PING;
  return { text: begun + event("output", { text }) + event("ended", { outcome: "done", message: "" }), isOver: true };
}
