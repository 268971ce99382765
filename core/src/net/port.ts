import { err, ok, type Result } from "../base/result.ts";

/** A run of ports, both ends included. A type alias, so that it is plain JSON to the compiler too. */
export type Ports = { readonly first: number; readonly last: number };

/** Every port there is. Port 0 cannot be asked for alone, but a packet can carry it, so that "any" has it. */
export const ALL_PORTS: Ports = { first: 0, last: 65_535 };

export function parsePort(text: string): Result<number, string> {
  if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 65_535) {
    return err(`${JSON.stringify(text)} is not a port; write a number from 1 to 65535`);
  }
  return ok(Number(text));
}

/** Reads `443`, `4000-4100` or `any`. */
export function parsePorts(text: string): Result<Ports, string> {
  if (text === "any") return ok(ALL_PORTS);
  const [from = "", to, ...rest] = text.split("-");
  if (rest.length > 0) return err(`${JSON.stringify(text)} is not a range of ports; write it like 4000-4100`);
  const first = parsePort(from);
  if (!first.ok) return first;
  if (to === undefined) return ok({ first: first.value, last: first.value });
  const last = parsePort(to);
  if (!last.ok) return last;
  if (last.value < first.value)
    return err(`${JSON.stringify(text)} runs backwards; write ${last.value}-${first.value}`);
  if (last.value === first.value) return err(`${JSON.stringify(text)} is one port; write ${first.value}`);
  return ok({ first: first.value, last: last.value });
}

export function formatPorts(ports: Ports): string {
  if (ports.first === ALL_PORTS.first && ports.last === ALL_PORTS.last) return "any";
  return ports.first === ports.last ? String(ports.first) : `${ports.first}-${ports.last}`;
}
