import { type Fields, isFields, jsonOf, listOf, textIn } from "./read-json.ts";

/**
 * How networkd is asked for its links. Not by `networkctl list`: that starts a networkd that does not run, and in the middle of a boot it waits
 * for one that waits for us.
 */
export const DESCRIBE: readonly [string, ...string[]] = [
  "busctl",
  "--json=short",
  "--auto-start=no",
  "--timeout=10",
  "call",
  "org.freedesktop.network1",
  "/org/freedesktop/network1",
  "org.freedesktop.network1.Manager",
  "Describe",
];

/**
 * networkd writes it when it begins. In the middle of a boot the bus is there to be called, and answers only when that boot has come further:
 * further than we, who would wait for it.
 */
export const NETWORKD_STATE = "/run/systemd/netif/state";

/** What networkd says of each link, by the kernel's name; null where that is no answer of it. */
export function describedLinks(text: string): ReadonlyMap<string, Fields> | null {
  const answer = jsonOf(text);
  const data: readonly unknown[] = isFields(answer) && Array.isArray(answer["data"]) ? answer["data"] : [];
  const [inner] = data;
  const described = typeof inner === "string" ? jsonOf(inner) : null;
  if (!isFields(described)) return null;
  return new Map(listOf(described["Interfaces"]).map((one) => [textIn(one, "Name") ?? "", one]));
}
