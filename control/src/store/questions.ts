import type { InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import type { QuestionRow, QuestionVerb } from "./tables.ts";
import { QUESTIONS_CHANNEL, type Transaction } from "./transaction.ts";

export interface NewQuestion {
  readonly id: string;
  readonly serverId: ServerId;
  readonly verb: QuestionVerb;
  readonly request: Buffer;
  readonly askedBy: InstanceId;
}

export async function insertQuestion(tx: Transaction, question: NewQuestion): Promise<void> {
  await tx.run(sql`
    insert into questions (id, server_id, verb, request, asked_by)
    values (${question.id}, ${question.serverId}, ${question.verb}, ${question.request}, ${question.askedBy})`);
  tx.notify(QUESTIONS_CHANNEL, { question_id: question.id });
}

/** One open question about these servers that is young enough to be waited for; nobody else gets it. */
export function takeQuestion(
  tx: Transaction,
  instance: InstanceId,
  servers: readonly ServerId[],
  youngerThanMs: number,
): Promise<QuestionRow | undefined> {
  return tx.maybe<QuestionRow>(sql`
    update questions set taken_by = ${instance}
    where id = (
      select id from questions
      where taken_by is null and server_id = any(${servers}::uuid[])
        and asked_at > now() - make_interval(secs => ${youngerThanMs}::float8 / 1000)
      order by asked_at limit 1 for update skip locked)
    returning *`);
}

export async function answerQuestion(
  tx: Transaction,
  id: string,
  result: { readonly answer: Buffer | null; readonly failure: string | null },
): Promise<void> {
  await tx.run(sql`
    update questions set answer = ${result.answer}, failure = ${result.failure}, answered_at = now()
    where id = ${id} and answered_at is null`);
  tx.notify(QUESTIONS_CHANNEL, { question_id: id });
}

export function getAnswered(database: Queryable, ids: readonly string[]): Promise<readonly QuestionRow[]> {
  return database.rows<QuestionRow>(
    sql`select * from questions where id = any(${ids}::uuid[]) and answered_at is not null`,
  );
}

export function forgetQuestions(tx: Transaction, olderThanSeconds: number): Promise<number> {
  return tx.run(sql`delete from questions where asked_at < now() - make_interval(secs => ${olderThanSeconds}::float8)`);
}
