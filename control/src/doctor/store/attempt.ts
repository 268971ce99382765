/**
 * Forbidden things, tried. Each is done inside a transaction that is always rolled back, in a savepoint of its own, so that an installation
 * is not believed to refuse them but seen to. Should one go through, it is undone all the same, and the row says so.
 */
import type { Database } from "../../store/database.ts";
import { newId } from "../../store/new-id.ts";
import { type Statement, sql } from "../../store/sql.ts";
import { StoreFailure } from "../../store/store-failure.ts";
import { type Transaction, transaction } from "../../store/transaction.ts";

export interface Attempt {
  readonly name: string;
  /** PostgreSQL's own words, or null when it went through. */
  readonly refusal: string | null;
}

class RollBack extends Error {}

/** Prepares, tries each statement, and leaves nothing behind. */
export async function attempt(
  database: Database,
  prepare: readonly Statement[],
  forbidden: readonly { readonly name: string; readonly statement: Statement }[],
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  try {
    const ended = await transaction(database, async (tx) => {
      attempts.length = 0;
      for (const statement of prepare) await tx.run(statement);
      for (const { name, statement } of forbidden) attempts.push({ name, refusal: await refusalOf(tx, statement) });
      throw new RollBack("nothing of this is kept");
    });
    if (!ended.ok) throw ended.error;
  } catch (error) {
    if (!(error instanceof RollBack)) throw error;
  }
  return attempts;
}

async function refusalOf(tx: Transaction, statement: Statement): Promise<string | null> {
  await tx.run({ text: "savepoint tried", values: [] });
  try {
    await tx.run(statement);
  } catch (error) {
    await tx.run({ text: "rollback to savepoint tried", values: [] });
    return error instanceof StoreFailure || error instanceof Error ? error.message : String(error);
  }
  await tx.run({ text: "rollback to savepoint tried", values: [] });
  return null;
}

/** Two applies of nothing on a server of nobody, one of them APPLYING: what the state machine's law is tried on. */
export function anApply(): {
  readonly prepare: readonly Statement[];
  readonly forbidden: readonly { readonly name: string; readonly statement: Statement }[];
} {
  const [user, server, change, plan, rollout, first, second] = Array.from({ length: 7 }, () => newId<string>());
  const name = `doctor-${(server ?? "").slice(-12)}`;
  return {
    prepare: [
      sql`insert into users (id, name) values (${user ?? ""}, ${name})`,
      sql`insert into servers (id, name, fence) values (${server ?? ""}, ${name}, 7)`,
      sql`insert into changes (id, title, author_id) values (${change ?? ""}, 'doctor', ${user ?? ""})`,
      sql`insert into plans (id, change_id, server_id, status) values (${plan ?? ""}, ${change ?? ""}, ${server ?? ""}, 'planned')`,
      sql`insert into rollouts (id, change_id, kind, settings, requested_by) values (${rollout ?? ""}, ${change ?? ""}, 'forward', '{}', ${user ?? ""})`,
      sql`insert into applies (id, change_id, rollout_id, server_id, plan_id, requested_by)
          select id, ${change ?? ""}, ${rollout ?? ""}, ${server ?? ""}, ${plan ?? ""}, ${user ?? ""} from unnest(array[${first ?? ""}, ${second ?? ""}]::uuid[]) as made (id)`,
      sql`update applies set state = 'APPLYING', phase = 'dispatched', version = version + 1 where id = ${first ?? ""}`,
    ],
    forbidden: [
      {
        name: "READY to APPLIED",
        statement: sql`update applies set state = 'APPLIED', server_is = 'as_requested', version = version + 1 where id = ${second ?? ""}`,
      },
      {
        name: "APPLIED without the server's word",
        statement: sql`update applies set state = 'APPLIED', phase = null, server_is = 'as_requested', version = version + 1 where id = ${first ?? ""}`,
      },
      {
        name: "a second open apply on one server",
        statement: sql`update applies set state = 'APPLYING', phase = 'dispatched', version = version + 1 where id = ${second ?? ""}`,
      },
      { name: "a lower fence", statement: sql`update servers set fence = 6 where id = ${server ?? ""}` },
    ],
  };
}

export const AUDIT_ATTEMPTS = [
  { name: "update", statement: sql`update audit_log set result_code = 'ok' where id = 1` },
  { name: "delete", statement: sql`delete from audit_log where id = 1` },
  { name: "truncate", statement: { text: "truncate audit_log", values: [] } },
] as const;
