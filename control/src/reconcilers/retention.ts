import { forgetChallenges } from "../account/store/passkeys.ts";
import { forgetAlerts } from "../store/alerts.ts";
import { forgetKeys } from "../store/idempotency-keys.ts";
import { forgetQuestions } from "../store/questions.ts";
import { transaction } from "../store/transaction.ts";
import type { Reconciler } from "./context.ts";

/** A client that repeats a request after a week has lost its own memory of it. Host transactions and the audit log are kept for ever. */
const KEEP_SECONDS = 7 * 24 * 3_600;

/** Nobody waits for the answer of a question for so long. */
const KEEP_QUESTIONS_SECONDS = 600;

/** Whoever asks after a year how it was asks the audit log. */
const KEEP_ALERTS_SECONDS = 365 * 24 * 3_600;

/** Forgets answers that nobody will ask for again, and alerts that were over a year ago. */
export const retention: Reconciler = {
  name: "retention",
  everyMs: 3_600_000,
  async run({ database }) {
    const forgotten = await transaction(database, async (tx) => {
      await forgetKeys(tx, KEEP_SECONDS);
      await forgetQuestions(tx, KEEP_QUESTIONS_SECONDS);
      await forgetAlerts(tx, KEEP_ALERTS_SECONDS);
      await forgetChallenges(tx);
    });
    if (!forgotten.ok) throw forgotten.error;
  },
};
