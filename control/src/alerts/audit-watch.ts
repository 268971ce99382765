/**
 * Walks the audit log again and again, a piece at each look, so that a log of years costs no more at once than one of a day.
 *   N1. From the first entry to the newest, then along with new ones; and from the first again after a day, or after a restart.
 *   N2. Where it is broken it stays standing, and says so at every look until the entry is what was written.
 *   N3. The newest entry that was seen is kept, and is asked for at every look: a log whose end was cut off is a whole, shorter chain.
 */
import type { AuditFact } from "@holdfast/core/alert/facts.ts";
import type { Logger } from "pino";
import { breakAt, GENESIS } from "../store/audit-chain.ts";
import { auditPage } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import { hashAt, keepSeen, seenHead } from "./store/audit-seen.ts";

/** About a tenth of a second of hashing at a look. */
const ENTRIES_AT_A_LOOK = 2_000;
const AGAIN_MS = 24 * 3_600_000;
/** How often the newest hash is said in the log, outside of the database. */
const SAY_HEAD_MS = 3_600_000;

export class AuditWatch {
  #at = { id: 0, hash: GENESIS };
  #begunMs: number | null = null;

  #saidMs: number | null = null;

  async look(database: Database, nowMs: number, log: Logger): Promise<AuditFact | null> {
    const seen = await seenHead(database);
    if (seen !== undefined && (await hashAt(database, seen.id)) !== seen.hash) return { entry: seen.id, reason: "cut" }; // N3
    if (this.#begunMs === null || nowMs - this.#begunMs >= AGAIN_MS) {
      this.#at = { id: 0, hash: GENESIS }; // N1
      this.#begunMs = nowMs;
    }
    for (const entry of await auditPage(database, this.#at.id, ENTRIES_AT_A_LOOK)) {
      const reason = breakAt(this.#at, entry);
      if (reason !== null) return { entry: this.#at.id + 1, reason }; // N2
      this.#at = { id: entry.id, hash: entry.hash };
    }
    if (this.#at.id > (seen?.id ?? 0)) await keepSeen(database, this.#at);
    if (this.#at.id >= (seen?.id ?? 0) && (this.#saidMs === null || nowMs - this.#saidMs >= SAY_HEAD_MS)) {
      this.#saidMs = nowMs;
      log.info({ entry: this.#at.id, hash: this.#at.hash, result_code: "audit.head" }, "the audit log's newest entry");
    }
    return null;
  }
}
