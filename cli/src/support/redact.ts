/**
 * Takes out of an answer of the API what is nobody else's business, and keeps what a maintainer needs: states, codes, times, ids, and which
 * thing is the same as which. The same name is the same stand-in in the whole bundle, and nothing leads back to it.
 */
import type { ApiWords } from "./api-words.ts";
import { hiddenNames, type NameKind } from "./hidden-names.ts";

const LEFT_OUT = "[left out]";

/** Contents and free words: whole, they are what a house is. */
const CONTENTS: ReadonlySet<string> = new Set([
  "text",
  "nativeDiff",
  "config",
  "configJson",
  "facts",
  "old",
  "new",
  "receipt",
  "title",
  "changeTitle",
  "reason",
  "comment",
  "acknowledgement",
  "labels",
  "source",
]);
/** The API gives no secret; should one ever stand under such a name, it does not leave. */
const SECRET = /secret|password|passphrase|token|private|psk|cookie|credential/i;
/** Whose name stands under these members; all of it is a name, whatever letters it is made of. */
const NAMED: Readonly<Record<string, NameKind | "channel">> = {
  requestedBy: "person",
  author: "person",
  actor: "person",
  user: "person",
  acknowledgedBy: "person",
  approvedBy: "person",
  server: "server",
  name: "document",
  channel: "channel",
};
/** Said by the program, the same in every house. */
const OWN_WORDS: ReadonlySet<string> = new Set(["asks"]);
/** What acts by itself, with its part or its server behind it. */
const NOBODY = /^(?:anonymous$|system(?:\/|$)|agent(?:\/| of ))/;
/** Names in the audit log's own words. Whoever was asked for at a sign-in is as they typed it: it may be a password in the wrong line. */
const OBJECT = /^(account|secret|role)\/(.*)$/s;
const OBJECT_KIND: Readonly<Record<string, NameKind | "role">> = {
  account: "person",
  secret: "secret",
  role: "role",
};

const IPV4 = /(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)/g;
const MAC = /(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])/gi;
/** Anything of hexadecimal groups with two colons at least: better a clock's time too many than an address too few. */
const IPV6 = /(?<![0-9a-z])(?:[0-9a-f]{0,4}:){2,8}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{1,4})?(?![0-9a-z])/gi;
const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
/** Whole: the path of a web hook is a secret. */
const URL_REST = /(?<=:\/\/)[^\s"'<>]*[^\s"'<>.,;:)\]]/g;
/** Ends of names in the DNS; the rest of the two-letter ones are endings of files more often than countries. */
const HOST =
  /(?<![\w@/.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?!(?:md|sh|js|ts|so|py)\b)(?:[a-z]{2}|com|net|org|info|biz|dev|app|cloud|online|site|tech|example|test|invalid|local|localdomain|internal|intranet|lan|home|corp)(?![\w-]|\.\w)/gi;
const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const HOUSEHOLD: ReadonlySet<string> = new Set(["127.0.0.1", "0.0.0.0", "::1", "::"]);
const AT_HOME = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?\/?$/;

export interface Redactor {
  /** A name that must not leave wherever it stands. */
  hide(kind: NameKind, name: string): void;
  /** Hides every name that stands in its place in an answer: of what is new, or gone, no list may tell. */
  hideNamesIn(value: unknown): void;
  redact(value: unknown): unknown;
}

export function redactor(words: ApiWords): Redactor {
  const standIns = new Map<string, string>();
  const counts = new Map<string, number>();
  const standIn = (kind: string, original: string): string => {
    const known = standIns.get(`${kind} ${original}`);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    standIns.set(`${kind} ${original}`, `${kind}-${count}`);
    return `${kind}-${count}`;
  };
  const names = hiddenNames(standIn);
  // A role and a channel are called by words of every day ("operator", "ops"): hidden in their places, not in every text.
  const standInOf = (kind: NameKind | "role" | "channel", name: string): string =>
    kind === "role" || kind === "channel" ? standIn(kind, name) : names.standInOf(kind, name);

  const address = (found: string): string => {
    // "2001:db8::7: refused" has a colon of the sentence.
    const tail = /[^:]:$/.test(found) ? ":" : "";
    const bare = found.slice(0, found.length - tail.length).toLowerCase();
    return HOUSEHOLD.has(bare) ? found : `${standIn("address", bare)}${tail}`;
  };
  const url = (found: string): string => (AT_HOME.test(found) ? found : standIn("url", found));
  const host = (found: string): string => standIn("host", found.toLowerCase());
  const text = (original: string): string =>
    ISO_TIME.test(original)
      ? original
      : names
          .hiddenIn(original)
          .replace(MAIL, (found) => standIn("mail", found))
          .replace(URL_REST, url)
          .replace(HOST, host)
          .replace(MAC, (found) => standIn("mac", found.toLowerCase()))
          .replace(IPV6, address)
          .replace(IPV4, address);
  const string = (value: string, member: string): string => {
    const kind = NAMED[member];
    if (kind !== undefined && !NOBODY.test(value)) return standInOf(kind, value);
    if (member === "object") {
      const [, what = "", name = ""] = OBJECT.exec(value) ?? [];
      const named = OBJECT_KIND[what];
      if (named !== undefined) return `${what}/${standInOf(named, name)}`;
    }
    return OWN_WORDS.has(member) || words.isValue(member, value) ? value : text(value);
  };
  const redact = (value: unknown, member: string): unknown => {
    // Whole, whatever it is made of: labels are an object, and say whose servers these are.
    if (value !== null && !isKept(member)) return LEFT_OUT;
    if (Array.isArray(value)) return value.map((item) => redact(item, member));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [words.isMember(name) ? name : text(name), redact(inner, name)]),
      );
    return typeof value === "string" ? string(value, member) : value;
  };
  const hideNamesIn = (value: unknown, member: string): void => {
    if (Array.isArray(value)) for (const item of value) hideNamesIn(item, member);
    else if (typeof value === "object" && value !== null)
      for (const [name, inner] of Object.entries(value)) hideNamesIn(inner, name);
    else if (typeof value === "string" && !NOBODY.test(value)) {
      const kind = NAMED[member];
      if (kind !== undefined && kind !== "channel") names.hide(kind, value);
    }
  };

  return {
    hide: (kind, name) => names.hide(kind, name),
    hideNamesIn: (value) => hideNamesIn(value, ""),
    redact: (value) => redact(value, ""),
  };
}

function isKept(member: string): boolean {
  return !CONTENTS.has(member) && !SECRET.test(member);
}
