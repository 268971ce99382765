import { err, ok, type Result } from "../base/result.ts";
import { formatAddress, parseAddress } from "../net/address.ts";
import { parseInterfaceName } from "../net/interface-name.ts";
import { ANY_INTERFACE, BOUNDS, type CaptureAsk, type ToolAsk } from "./tool.ts";

/** Of a name (RFC 1035), with the dots. */
const LONGEST_NAME = 253;
/** RFC 1123, and the underscore that names of services have. Nothing that a program could read as an option, or as more than one argument. */
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** A literal address in its one form, or a name as it is looked up. */
export function parseHost(text: string): Result<string, string> {
  const said = JSON.stringify(text.slice(0, LONGEST_NAME));
  if (text === "") return err("a host is asked for: an address or a name");
  if (text.includes(":")) {
    const address = parseAddress(text);
    return address.ok ? ok(formatAddress(address.value)) : err(address.error);
  }
  if (text.length > LONGEST_NAME) return err(`a name has ${LONGEST_NAME} characters at most`);
  const labels = text.replace(/\.$/, "").split(".");
  // Digits and dots are an address, or what some programs take for one: `127.1` is 127.0.0.1 to them.
  if (/^[0-9]+$/.test(labels.at(-1) ?? "")) {
    const address = parseAddress(text);
    return address.ok ? ok(formatAddress(address.value)) : err(address.error);
  }
  if (!labels.every((label) => LABEL.test(label)))
    return err(`${said} is neither an address nor a name; a name has letters, digits, - and dots between its parts`);
  return ok(text);
}

/** What was asked for in the form in which a program is told it, or what is wrong with it. The server asks this too: it believes nobody. */
export function checkAsk(ask: ToolAsk): Result<ToolAsk, string> {
  switch (ask.tool) {
    case "ping":
      return within("count", ask.count, BOUNDS.pings.most, () => withHost(ask));
    case "trace":
      return within("hops", ask.hops, BOUNDS.hops.most, () => withHost(ask));
    case "resolve":
      return withHost(ask);
    case "capture":
      return within("count", ask.count, BOUNDS.packets.most, () =>
        within("seconds", ask.seconds, BOUNDS.seconds.most, () => captured(ask)),
      );
  }
}

function withHost(ask: Exclude<ToolAsk, CaptureAsk>): Result<ToolAsk, string> {
  const host = parseHost(ask.host);
  return host.ok ? ok({ ...ask, host: host.value }) : err(`host: ${host.error}`);
}

function captured(ask: CaptureAsk): Result<ToolAsk, string> {
  if (ask.interface !== ANY_INTERFACE) {
    const name = parseInterfaceName(ask.interface);
    if (!name.ok) return err(`interface: ${name.error}`);
  }
  if (ask.port !== null) {
    if (!Number.isInteger(ask.port) || ask.port < 1 || ask.port > 65_535) return err("port: a number from 1 to 65535");
    if (ask.protocol !== null && ask.protocol !== "tcp" && ask.protocol !== "udp")
      return err(`port: ${ask.protocol} has no ports; leave one of both out`);
  }
  if (ask.address === null) return ok(ask);
  const address = parseAddress(ask.address);
  return address.ok ? ok({ ...ask, address: formatAddress(address.value) }) : err(`address: ${address.error}`);
}

function within<T>(field: string, value: number, most: number, next: () => Result<T, string>): Result<T, string> {
  return Number.isInteger(value) && value >= 1 && value <= most ? next() : err(`${field}: a number from 1 to ${most}`);
}
