import { PROBLEMS, type ProblemCode } from "@holdfast/core/api/problem-code.ts";
import type { Problem } from "@holdfast/core/api/problem.ts";

export interface MockAnswer {
  readonly status: number;
  readonly body: unknown;
  /** A new session, or none any more. */
  readonly session?: string | null;
}

export class MockRefusal extends Error {
  readonly answer: MockAnswer;

  constructor(answer: MockAnswer) {
    super("refused");
    this.answer = answer;
  }
}

/** The same problem documents as the real API gives, from the same table. */
export function refuse(code: ProblemCode, detail: string, findings?: Problem["findings"]): never {
  const { status, title, remedy } = PROBLEMS[code];
  const problem: Problem = {
    type: `/docs/problems#${code}`,
    title,
    status,
    code,
    detail,
    remedy,
    requestId: "019ab000-0000-7000-8000-000000000bad",
    ...(findings === undefined ? {} : { findings }),
  };
  throw new MockRefusal({ status, body: problem });
}
