/**
 * Takes out of an answer of the API what is nobody else's business, and keeps what a maintainer needs: states, codes, times, ids, and which
 * thing is the same as which. The same name is the same stand-in in the whole bundle, and nothing leads back to it.
 */
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
/** A person, under any of these names. */
const PEOPLE: ReadonlySet<string> = new Set(["requestedBy", "author", "actor", "user", "acknowledgedBy", "approvedBy"]);

const IPV4 = /(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)/g;
const MAC = /(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])/gi;
/** Anything of hexadecimal groups with two colons at least: better a clock's time too many than an address too few. */
const IPV6 = /(?<![0-9a-z])(?:[0-9a-f]{0,4}:){2,8}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{1,4})?(?![0-9a-z])/gi;
const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const HOUSEHOLD: ReadonlySet<string> = new Set(["127.0.0.1", "0.0.0.0", "::1", "::"]);

export interface Redactor {
  /** A name that must not leave wherever it stands: of a server, a document. */
  hide(kind: "server" | "document", name: string): void;
  redact(value: unknown): unknown;
}

export function redactor(): Redactor {
  const standIns = new Map<string, string>();
  const counts = new Map<string, number>();
  const hidden = new Map<string, string>();
  let names: RegExp | null = null;

  const standIn = (kind: string, original: string): string => {
    const known = standIns.get(`${kind} ${original}`);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    standIns.set(`${kind} ${original}`, `${kind}-${count}`);
    return `${kind}-${count}`;
  };
  const address = (found: string): string => {
    // "2001:db8::7: refused" has a colon of the sentence.
    const tail = /[^:]:$/.test(found) ? ":" : "";
    const bare = found.slice(0, found.length - tail.length).toLowerCase();
    return HOUSEHOLD.has(bare) ? found : `${standIn("address", bare)}${tail}`;
  };
  const text = (original: string): string => {
    if (ISO_TIME.test(original)) return original;
    const named = names === null ? original : original.replace(names, (name) => hidden.get(name) ?? name);
    return named
      .replace(MAIL, (found) => standIn("mail", found))
      .replace(MAC, (found) => standIn("mac", found.toLowerCase()))
      .replace(IPV6, address)
      .replace(IPV4, address);
  };
  const redact = (value: unknown, key = ""): unknown => {
    // Whole, whatever it is made of: labels are an object, and say whose servers these are.
    if (value !== null && !isKept(key)) return LEFT_OUT;
    if (Array.isArray(value)) return value.map((item) => redact(item, key));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [text(name), redact(member, name)]));
    if (typeof value !== "string") return value;
    if (PEOPLE.has(key) && !/^(system|agent)\b/.test(value)) return standIn("person", value);
    return text(value);
  };

  return {
    hide(kind, name) {
      hidden.set(name, standIn(kind, name));
      // The longest first: web-10 is not web-1 and a nought.
      const words = [...hidden.keys()]
        .toSorted((a, b) => b.length - a.length)
        .map((word) => word.replaceAll(/[^\w-]/g, "\\$&"));
      names = new RegExp(`(?<![\\w-])(?:${words.join("|")})(?![\\w-])`, "g");
    },
    redact: (value) => redact(value),
  };
}

function isKept(key: string): boolean {
  return !CONTENTS.has(key) && !SECRET.test(key);
}
