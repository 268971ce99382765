import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";

/**
 * The one printer of rules: a statement in nft's JSON shape to nft's text. The text is canonical (equal rules, equal text: sets are sorted,
 * protocols and times are numbers, counters have no values), so it serves for loading, for comparing and for showing.
 */

/** Marks what somebody else put into our table with a construct we do not print. It is seen and named, and cannot be put back. */
const OPAQUE = "# not printable: ";

export function opaque(value: Json): string {
  return OPAQUE + canonicalJson(value);
}

export function isOpaque(text: string): boolean {
  return text.startsWith(OPAQUE);
}

export function ruleText(statements: readonly Json[]): string {
  const parts: string[] = [];
  for (const statement of statements) {
    const text = statementText(statement);
    if (text === null) return opaque(statements);
    parts.push(text);
  }
  return parts.join(" ");
}

type JsonMap = { readonly [key: string]: Json | undefined };

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Names and numbers come from a listing that anybody may have written; a quote or a line break would end the text early. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !/["\\{};#]/.test(text);
}

function quoted(value: Json | undefined): string | null {
  return typeof value === "string" && isPlain(value) ? `"${value}"` : null;
}

function word(value: Json | undefined): string | null {
  return typeof value === "string" && /^@?[A-Za-z0-9][A-Za-z0-9/_.-]*$/.test(value) ? value : null;
}

function only(statement: JsonMap): readonly [string, Json | undefined] | null {
  const [entry, ...more] = Object.entries(statement);
  return entry !== undefined && more.length === 0 ? entry : null;
}

function statementText(statement: Json): string | null {
  if (!isMap(statement)) return null;
  const entry = only(statement);
  if (entry === null) return null;
  const [kind, body] = entry;
  switch (kind) {
    case "match":
      return isMap(body) ? matchText(body) : null;
    case "accept":
    case "drop":
    case "return":
    case "continue":
    case "notrack":
      return body === null ? kind : null;
    case "jump":
    case "goto": {
      const target = isMap(body) ? word(body["target"]) : null;
      return target === null ? null : `${kind} ${target}`;
    }
    case "counter":
      return typeof body === "string" ? join("counter name", quoted(body)) : "counter";
    case "limit":
      return isMap(body) ? limitText(body) : null;
    case "log":
      return body === null ? "log" : isMap(body) ? logText(body) : null;
    case "reject":
      return body === null ? "reject with icmpx port-unreachable" : isMap(body) ? rejectText(body) : null;
    case "masquerade":
    case "redirect":
    case "snat":
    case "dnat":
      return body === null ? kind : isMap(body) ? translationText(kind, body) : null;
    case "set":
      return isMap(body) ? updateText(body) : null;
    case "mangle":
      return isMap(body) ? join(join(expressionText(body["key"]), "set"), expressionText(body["value"])) : null;
    default:
      return null;
  }
}

function join(a: string | null, b: string | null): string | null {
  return a === null || b === null ? null : `${a} ${b}`;
}

const OPERATORS: Readonly<Record<string, string>> = {
  "==": "",
  in: "",
  "!=": "!= ",
  "<": "< ",
  ">": "> ",
  "<=": "<= ",
  ">=": ">= ",
};

function matchText(body: JsonMap): string | null {
  const operator = typeof body["op"] === "string" ? OPERATORS[body["op"]] : undefined;
  if (operator === undefined) return null;
  const { left, right } = body;
  const flags = flagsText(left, right);
  if (flags !== null) return flags;
  const what = expressionText(left);
  const meaning = meaningOf(left);
  const value = isList(right) ? flagList(right) : valueText(right, meaning);
  return what === null || value === null ? null : `${what} ${operator}${value}`;
}

/** `tcp flags & (syn|rst) == syn` has a short form that nft itself prints. */
function flagsText(left: Json | undefined, right: Json | undefined): string | null {
  if (!isMap(left) || !isList(left["&"]) || typeof right !== "string") return null;
  const [field, mask] = left["&"];
  const name = expressionText(field);
  const masked = isList(mask) ? flagList(mask) : null;
  return name === "tcp flags" && masked !== null && word(right) !== null ? `${name} ${right} / ${masked}` : null;
}

function flagList(values: readonly Json[]): string | null {
  const words = values.flatMap((value) => word(value) ?? []);
  return words.length < values.length ? null : sortedElements(words).join(",");
}

type Meaning = "protocol" | "time" | "quoted" | "plain";

function meaningOf(left: Json | undefined): Meaning {
  const key = isMap(left) && isMap(left["meta"]) ? left["meta"]["key"] : undefined;
  if (key === "l4proto") return "protocol";
  if (key === "time") return "time";
  return key === "iifname" || key === "oifname" ? "quoted" : "plain";
}

function expressionText(expression: Json | undefined): string | null {
  if (typeof expression === "number") return String(expression);
  if (!isMap(expression)) return null;
  const entry = only(expression);
  if (entry === null || entry[1] === null) return null;
  const [kind, body] = entry;
  if (kind === "&" && isList(body)) return join(join(expressionText(body[0]), "&"), valueText(body[1], "plain"));
  if (!isMap(body)) return null;
  switch (kind) {
    case "payload":
      return join(word(body["protocol"]), word(body["field"]));
    case "meta": {
      const key = word(body["key"]);
      return key === "iifname" || key === "oifname" ? key : join("meta", key);
    }
    case "ct":
      return Object.keys(body).length === 1 ? join("ct", word(body["key"])) : null;
    case "rt":
      return Object.keys(body).length === 1 ? join("rt", word(body["key"])) : null;
    case "tcp option":
      return join(join("tcp option", word(body["name"])), word(body["field"]));
    case "fib": {
      const flags = body["flags"];
      const words = isList(flags) ? flags.map(word) : [word(flags)];
      return words.some((flag) => flag === null) ? null : join(`fib ${words.join(" . ")}`, word(body["result"]));
    }
    default:
      return null;
  }
}

/** A scalar, prefix, range, anonymous set or reference to a named set. */
export function valueText(value: Json | undefined, meaning: Meaning = "plain"): string | null {
  if (isMap(value) && isList(value["set"])) {
    const items = value["set"].map((item) => scalarText(item, meaning));
    return items.some((item) => item === null)
      ? null
      : `{ ${sortedElements(items.flatMap((item) => item ?? [])).join(", ")} }`;
  }
  return scalarText(value, meaning);
}

function scalarText(value: Json | undefined, meaning: Meaning): string | null {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") {
    if (value.startsWith("@")) return word(value);
    if (meaning === "protocol") return protocolNumber(value);
    if (meaning === "time") return secondsOf(value);
    if (meaning === "quoted") return quoted(value);
    return /^[A-Za-z0-9:._-]+$/.test(value) ? value : null;
  }
  if (!isMap(value)) return null;
  const { prefix, range } = value;
  if (isMap(prefix)) {
    const address = scalarText(prefix["addr"], "plain");
    return address !== null && typeof prefix["len"] === "number" ? `${address}/${prefix["len"]}` : null;
  }
  if (isList(range)) {
    const [first, last] = [scalarText(range[0], meaning), scalarText(range[1], meaning)];
    return first !== null && last !== null ? `${first}-${last}` : null;
  }
  return null;
}

/** By number where both begin with one, else by code unit: the same on both sides, and ports read in order. */
export function sortedElements(elements: readonly string[]): readonly string[] {
  return elements.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Numbers of protocols (IANA). nft prints names from the server's /etc/protocols, which may be missing or different, and reads numbers always.
 */
const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  "ipv6-icmp": 58,
  icmpv6: 58,
  ospf: 89,
  ospfigp: 89,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
};

function protocolNumber(name: string): string | null {
  const number = PROTOCOLS[name];
  return number === undefined ? (/^\d+$/.test(name) ? name : null) : String(number);
}

/** nft prints a time as local text (UTC by our environment) and reads plain seconds in any time zone. */
function secondsOf(text: string): string | null {
  const parts = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(text);
  const milliseconds = parts === null ? Number.NaN : Date.parse(`${parts[1]}T${parts[2]}Z`);
  return Number.isNaN(milliseconds) ? null : String(milliseconds / 1000);
}

function limitText(body: JsonMap): string | null {
  const { rate, per, burst, inv } = body;
  const unit = word(per);
  // Limits by bytes carry units of their own and are none of ours.
  if (typeof rate !== "number" || unit === null || body["rate_unit"] !== undefined) return null;
  return `limit rate ${inv === true ? "over " : ""}${rate}/${unit} burst ${typeof burst === "number" ? burst : 5} packets`;
}

function logText(body: JsonMap): string | null {
  const parts: (string | null)[] = ["log"];
  for (const [key, value] of Object.entries(body)) {
    if (key === "prefix") parts.push(join("prefix", quoted(value)));
    else if (key === "level") parts.push(join("level", word(value)));
    else if ((key === "group" || key === "snaplen" || key === "queue-threshold") && typeof value === "number")
      parts.push(`${key} ${value}`);
    else return null;
  }
  return parts.some((part) => part === null) ? null : parts.join(" ");
}

function rejectText(body: JsonMap): string | null {
  if (body["type"] === "tcp reset") return "reject with tcp reset";
  return join(join("reject with", word(body["type"])), word(body["expr"]));
}

function translationText(kind: string, body: JsonMap): string | null {
  const { family, addr, port, ...rest } = body;
  if (Object.keys(rest).length > 0) return null;
  const addressText = addr === undefined ? "" : scalarText(addr, "plain");
  const portText = port === undefined ? "" : scalarText(port, "plain");
  const familyText = family === undefined ? "" : word(family);
  if (addressText === null || portText === null || familyText === null) return null;
  const target = addressText.includes(":") && portText !== "" ? `[${addressText}]` : addressText;
  const full = portText === "" ? target : `${target}:${portText}`;
  return [kind, familyText, full === "" ? "" : `to ${full}`].filter((part) => part !== "").join(" ");
}

function updateText(body: JsonMap): string | null {
  const { op, elem, set, stmt } = body;
  const [operation, key, name] = [word(op), expressionText(elem), word(set)];
  const inner = isList(stmt) ? stmt.map(statementText) : [];
  if (operation === null || key === null || name === null || inner.some((text) => text === null)) return null;
  return `${operation} ${name} { ${[key, ...inner].join(" ")} }`;
}
