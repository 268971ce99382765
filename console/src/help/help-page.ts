import type { ApplyState } from "@holdfast/core/apply/state.ts";
import { SERVER_STATUSES, type ServerStatus } from "../parts/server-status.ts";
import type { PATTERNS } from "../paths.ts";

/** Pages behind the login. The three before it say in their own words all that they ask for. */
export type HelpPage = Exclude<keyof typeof PATTERNS, "login" | "providerReturn" | "password">;

/** What a page is for, and what a person does there: each line one thing. */
export interface HelpText {
  readonly what: string;
  readonly how: readonly string[];
}

export type HelpTexts = Readonly<Record<HelpPage, HelpText>>;

/** Keys that work on every page, and those of one kind of page. */
export type KeySet = "everywhere" | "rules" | "text";

interface Shown {
  readonly servers: readonly ServerStatus[];
  readonly applies: readonly ApplyState[];
  /** The second fact of an apply: how the server is. */
  readonly serverIs: boolean;
}

const NOTHING: Shown = { servers: [], applies: [], serverIs: false };
const SERVERS: Shown = { ...NOTHING, servers: SERVER_STATUSES };
const APPLIES: Shown = {
  servers: [],
  applies: ["READY", "APPLYING", "APPLIED", "ROLLBACKING", "ROLLED_BACK", "FAILED", "CANCELLED"],
  serverIs: true,
};
const CHANGES: Shown = { ...APPLIES, applies: ["DRAFT", ...APPLIES.applies], serverIs: false };

/** The states that a person meets on a page and may ask the meaning of. */
export const STATES_SHOWN = {
  overview: SERVERS,
  servers: SERVERS,
  server: { ...SERVERS, applies: APPLIES.applies, serverIs: true },
  documents: NOTHING,
  document: NOTHING,
  editDocument: NOTHING,
  changes: CHANGES,
  change: CHANGES,
  rollout: APPLIES,
  apply: APPLIES,
  failures: { ...APPLIES, applies: ["FAILED", "ROLLED_BACK"] },
  audit: NOTHING,
  account: NOTHING,
  tokens: NOTHING,
  users: NOTHING,
  user: NOTHING,
  roles: NOTHING,
  secrets: NOTHING,
  agents: NOTHING,
  notifications: NOTHING,
  retention: NOTHING,
  doctor: NOTHING,
} as const satisfies Record<HelpPage, Shown>;

/** The set of keys that a page has beside those of every page. */
export const KEYS_OF: Readonly<Partial<Record<HelpPage, readonly Exclude<KeySet, "everywhere">[]>>> = {
  editDocument: ["rules", "text"],
};
