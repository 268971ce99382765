/** What is wrong with an unquoted scalar, and what to write. */
export interface Trap {
  readonly why: string;
  readonly remedy: string;
}

const QUOTE = "Put it in quotes if it is text.";

/**
 * Unquoted scalars that YAML 1.1 readers (most of the tools around) and YAML 1.2 readers take for different things. The forms are those of
 * the 1.1 type repository as its readers implement them, which differ from the 1.2 core schema.
 */
const TRAPS: readonly { readonly form: RegExp; readonly trap: Trap }[] = [
  {
    form: /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/,
    trap: {
      why: "is a truth value in YAML 1.1 and text in YAML 1.2",
      remedy: "Write true or false; if it is text (a country code, say), put it in quotes.",
    },
  },
  { form: /^(?:=|<<)$/, trap: { why: "has a meaning of its own in YAML 1.1", remedy: QUOTE } },
  {
    form: /^[-+]?0[0-9_]+$/,
    trap: {
      why: "is octal in YAML 1.1 and decimal in YAML 1.2",
      remedy: 'Write the number without the leading zero, or put it in quotes ("0640") if it is a file mode.',
    },
  },
  {
    form: /^[-+]?0o[0-7]+$/,
    trap: { why: "is a number in YAML 1.2 and text in YAML 1.1", remedy: "Write the number in decimal." },
  },
  {
    form: /^[-+]?0b[01_]+$/,
    trap: { why: "is a number in YAML 1.1 and text in YAML 1.2", remedy: "Write the number in decimal." },
  },
  {
    form: /^[-+]0x[0-9a-fA-F_]+$|^0x[0-9a-fA-F]*_[0-9a-fA-F_]*$/,
    trap: { why: "is a number in YAML 1.1 and text in YAML 1.2", remedy: "Write the number in decimal." },
  },
  {
    form: /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/,
    trap: {
      why: "is a number of base 60 in YAML 1.1 (52:54:00:11:00:01 is 41135079601) and text in YAML 1.2",
      remedy: "Put it in quotes.",
    },
  },
  {
    form: /^[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?$|^[-+]?[0-9]*\.[0-9]*_[0-9_]*(?:[eE][-+]?[0-9]+)?$/,
    trap: { why: "is a number in YAML 1.1 and text in YAML 1.2", remedy: "Write the digits without underscores." },
  },
  {
    form: /^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$/,
    trap: { why: "is a number to some readers of YAML and text to others", remedy: "Write the number in decimal." },
  },
  {
    form: /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/,
    trap: { why: "is no number that a setting can have", remedy: QUOTE },
  },
  {
    form: /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9].*)?$/,
    trap: {
      why: "is a date in YAML 1.1 and text in YAML 1.2",
      remedy: 'Put it in quotes, with the offset: "2026-12-05T18:00+09:00".',
    },
  },
];

/** No number, date or truth value that means something is longer; some of the forms would take long over a long text. */
const LONGEST = 64;

/** The trap that an unquoted scalar is, or null. */
export function trapOf(plain: string): Trap | null {
  if (plain.length > LONGEST) {
    return /^[-+.0-9_:eE]+$/.test(plain)
      ? { why: "looks like a number, and is too long for one", remedy: QUOTE }
      : null;
  }
  return TRAPS.find(({ form }) => form.test(plain))?.trap ?? null;
}
