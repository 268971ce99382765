import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import type { MockAnswer } from "./answer.ts";
import type { MockState, MockUser } from "./state.ts";

/** What a handler gets after the door. */
export interface MockCall {
  readonly state: MockState;
  readonly user: MockUser;
  readonly session: string | null;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly ifMatch: string | null;
  readonly nowMs: number;
}

export type MockHandler = (call: MockCall) => MockAnswer;

export const CSRF_TOKEN = "mock-csrf";

export function permissionsOf(user: MockUser): Permission[] {
  return PERMISSIONS.filter((permission) => user.permissions.some((grant) => grant.permission === permission));
}
