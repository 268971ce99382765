import { hashOf } from "./chunk.ts";
import { HOOKS, type HookName } from "./model.ts";

/**
 * Names of our objects in nft. All are prefixed, because a bare `dnat` or `fwd` is a keyword there. nft takes letters, digits and / - _ .
 * in a name; a colon becomes a slash and anything else `_u` with its code in hexadecimal and a dot, so that two names never meet.
 */
export const FAMILY = "inet";
export const TABLE = "holdfast";
/** Beside it, only while somebody looks at packets: `watch.ts`. */
export const WATCH_TABLE = "holdfast_watch";

/** The kernel takes 255 bytes (NFT_NAME_MAXLEN); the prefixes and suffixes below are shorter than 32. */
const LONGEST_PART = 120;

export function nftPart(name: string): string {
  const part = name.replaceAll(/[^A-Za-z0-9.-]/g, (character) =>
    character === ":" ? "/" : character === "_" ? "__" : `_u${character.charCodeAt(0).toString(16)}.`,
  );
  return part.length <= LONGEST_PART
    ? part
    : `${part.slice(0, LONGEST_PART - 10)}_h${hashOf(name).toString(16).padStart(8, "0")}`;
}

export const chainNames = {
  hook: (hook: HookName) => `hook_${hook}`,
  locked: (hook: HookName) => `locked_${hook}`,
  /** The chunk that starts at a rule; the first chunk starts at none, so that a new first rule does not rename it. */
  chunk: (hook: HookName, first: string | null) =>
    first === null ? `rules_${hook}` : `rules_${hook}_${nftPart(first)}`,
  action: (hook: HookName, rule: string) => `act_${hook}_${nftPart(rule)}`,
  publishAction: (name: string) => `act_publish_${nftPart(name)}`,
  prerouting: "nat_prerouting",
  postrouting: "nat_postrouting",
};

/** `nat` counts a published service before translation, `publish` after it. */
export type CounterOwner = HookName | "publish" | "nat" | "masquerade";
export const counterNames = {
  /** What the rule decided. */
  rule: (section: CounterOwner, rule: string) => `c_${section}_${nftPart(rule)}`,
  limited: (section: HookName, rule: string) => `c_${section}_${nftPart(rule)}_limited`,
  /** What it would have dropped, in observe mode. */
  observed: (section: HookName, rule: string) => `o_${section}_${nftPart(rule)}`,
  observedLimited: (section: HookName, rule: string) => `o_${section}_${nftPart(rule)}_limited`,
  default: (section: HookName) => `d_${section}`,
  observedDefault: (section: HookName) => `od_${section}`,
  locked: (section: HookName, rule: string) => `k_${section}_${nftPart(rule)}`,
};

export const setNames = {
  addresses: (key: string, family: 4 | 6) => `s_${nftPart(key)}_${family}`,
  /** `key` is `zone:NAME` or `interface:ROLE`. */
  interfaces: (key: string) => `i_${nftPart(key)}`,
  /** With the seconds it remembers: a set's timeout cannot be changed in place. */
  sources: (hook: HookName, rule: string, family: 4 | 6, timeout: number) =>
    `m_${hook}_${nftPart(rule)}_${family}_${timeout}s`,
};

/** The name that `nftPart` was given; null where it was too long to be kept whole, or where this is none. */
export function nameOfPart(part: string): string | null {
  if (!WHOLE_PART.test(part)) return null;
  return part.replaceAll(/__|_u([0-9a-f]+)\.|\//g, (token, code: string | undefined) =>
    token === "__" ? "_" : token === "/" ? ":" : String.fromCharCode(Number.parseInt(code ?? "", 16)),
  );
}

const PART = "(?:__|_u[0-9a-f]{1,4}\\.|[^_])+";
const WHOLE_PART = new RegExp(`^${PART}$`);
const SECTION = "inbound|forward|outbound|publish";
const RULE_COUNTER = new RegExp(`^([co])_(${SECTION})_(${PART})(_limited)?$`);
const LOCKED_COUNTER = new RegExp(`^k_(?:${SECTION})_(${PART})$`);
const DEFAULT_COUNTER = new RegExp(`^(o?d)_(?:${SECTION})$`);
const ACTION_CHAIN = new RegExp(`^act_(${SECTION})_(${PART})$`);

/** Which hook a chain of ours belongs to; null for translation, and for what all hooks share. */
export function directionOfChain(chain: string): HookName | null {
  if (chain.startsWith("act_publish_")) return "forward";
  return HOOKS.find((hook) => new RegExp(`^(hook|locked|rules|act)_${hook}(_|$)`).test(chain)) ?? null;
}

/**
 * Whose decision a native rule is, by what it counts under or by the chain it stands in, in the words that people see. `isObserved`: it would
 * have dropped. Null: this rule only leads on, or it has no name in the kernel.
 */
export function decidedBy(
  chain: string,
  counter: string | null,
): { readonly rule: string; readonly isObserved: boolean } | null {
  if (counter !== null) {
    const usual = DEFAULT_COUNTER.exec(counter);
    if (usual !== null) return { rule: "default", isObserved: usual[1] === "od" };
    const locked = nameOfPart(LOCKED_COUNTER.exec(counter)?.[1] ?? "");
    if (locked !== null) return { rule: `locked.${locked}`, isObserved: false };
    const [, kind, section = "", part = "", limited = ""] = RULE_COUNTER.exec(counter) ?? [];
    const name = nameOfPart(part);
    if (name !== null)
      return {
        rule: `${section === "publish" ? "publish." : ""}${name}${limited === "" ? "" : ".limited"}`,
        isObserved: kind === "o",
      };
  }
  const [, section = "", part = ""] = ACTION_CHAIN.exec(chain) ?? [];
  const name = nameOfPart(part);
  return name === null ? null : { rule: `${section === "publish" ? "publish." : ""}${name}`, isObserved: false };
}
