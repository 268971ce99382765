import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/**
 * Messages of vici, strongSwan's interface to its daemon (src/libcharon/plugins/vici/README.md of its sources). A message is a tree of sections
 * with texts and lists of texts. What comes from the daemon is judged like anything from outside: bounded, and refused whole where it is not
 * well formed.
 */
export type ViciValue = string | Uint8Array | readonly (string | Uint8Array)[] | ViciSection;
export interface ViciSection {
  readonly [name: string]: ViciValue;
}

/** What was read: texts only. */
export type ViciAnswer = { readonly [name: string]: ViciAnswerValue };
export type ViciAnswerValue = string | readonly string[] | ViciAnswer;

const ELEMENT = { sectionStart: 1, sectionEnd: 2, keyValue: 3, listStart: 4, listItem: 5, listEnd: 6 } as const;

/** One octet and two of them, as the format has it. */
const LONGEST_NAME = 255;
const LONGEST_VALUE = 65_535;
/** Sections in sections; the deepest answer of the daemon has five. */
const DEEPEST = 16;

/** @throws Error where a name or a value is longer than the format can say: a bug of the caller, who checked every text */
export function encodeMessage(section: ViciSection): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(section)) {
    if (typeof value === "string" || value instanceof Uint8Array)
      parts.push(octet(ELEMENT.keyValue), encodeName(name), encodeValue(value));
    else if (isList(value))
      parts.push(
        octet(ELEMENT.listStart),
        encodeName(name),
        ...value.flatMap((item) => [octet(ELEMENT.listItem), encodeValue(item)]),
        octet(ELEMENT.listEnd),
      );
    else parts.push(octet(ELEMENT.sectionStart), encodeName(name), encodeMessage(value), octet(ELEMENT.sectionEnd));
  }
  return Buffer.concat(parts);
}

export function encodeName(name: string): Buffer {
  const bytes = Buffer.from(name, "utf8");
  if (bytes.length > LONGEST_NAME) throw new Error(`a name of ${bytes.length} octets does not fit into vici`);
  return Buffer.concat([octet(bytes.length), bytes]);
}

function encodeValue(value: string | Uint8Array): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value);
  if (bytes.length > LONGEST_VALUE) throw new Error(`a value of ${bytes.length} octets does not fit into vici`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function octet(value: number): Buffer {
  return Buffer.from([value]);
}

export function decodeMessage(bytes: Buffer): Result<ViciAnswer, string> {
  const reader = new Reader(bytes);
  const section = readSection(reader, 0);
  if (section === null || !reader.isAtEnd) return err("strongSwan's answer is not well formed");
  return ok(section);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  octet(): number | null {
    const value = this.#bytes[this.#at];
    if (value === undefined) return null;
    this.#at += 1;
    return value;
  }

  name(): string | null {
    const length = this.octet();
    return length === null ? null : this.#text(length);
  }

  value(): string | null {
    const [high, low] = [this.octet(), this.octet()];
    return high === null || low === null ? null : this.#text(high * 256 + low);
  }

  #text(length: number): string | null {
    const end = this.#at + length;
    if (end > this.#bytes.length) return null;
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }
}

/** Up to its end, or, at the top, up to the end of the message. Null: not well formed. */
function readSection(reader: Reader, depth: number): ViciAnswer | null {
  if (depth > DEEPEST) return null;
  const section: [string, ViciAnswerValue][] = [];
  for (;;) {
    if (reader.isAtEnd) return depth === 0 ? Object.fromEntries(section) : null;
    const kind = reader.octet();
    if (kind === ELEMENT.sectionEnd) return depth === 0 ? null : Object.fromEntries(section);
    const name = reader.name();
    if (name === null) return null;
    const value =
      kind === ELEMENT.keyValue
        ? reader.value()
        : kind === ELEMENT.sectionStart
          ? readSection(reader, depth + 1)
          : kind === ELEMENT.listStart
            ? readList(reader)
            : null;
    if (value === null) return null;
    section.push([name, value]);
  }
}

function readList(reader: Reader): readonly string[] | null {
  const items: string[] = [];
  for (;;) {
    const kind = reader.octet();
    if (kind === ELEMENT.listEnd) return items;
    const item = kind === ELEMENT.listItem ? reader.value() : null;
    if (item === null) return null;
    items.push(item);
  }
}

function isList(value: ViciValue): value is readonly (string | Uint8Array)[] {
  return Array.isArray(value);
}

/** One text of an answer; empty where there is none. */
export function textOf(answer: ViciAnswer, name: string): string {
  const value = Object.hasOwn(answer, name) ? answer[name] : undefined;
  return typeof value === "string" ? value : "";
}

export function listIn(answer: ViciAnswer, name: string): readonly string[] {
  const value = Object.hasOwn(answer, name) ? answer[name] : undefined;
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

export function sectionsIn(answer: ViciAnswer): readonly (readonly [string, ViciAnswer])[] {
  return Object.entries(answer).flatMap(([name, value]) =>
    typeof value === "object" && !Array.isArray(value) ? [[name, value as ViciAnswer] as const] : [],
  );
}

export function sectionOf(answer: ViciAnswer, name: string): ViciAnswer {
  return sectionsIn(answer).find(([key]) => key === name)?.[1] ?? {};
}
