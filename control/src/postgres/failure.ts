/** Why the embedded PostgreSQL cannot run. `message` says what was expected and what to do. */
export const POSTGRES_FAILURES = [
  "postgres.binaries_missing",
  "postgres.no_database_user",
  "postgres.unreachable_directory",
  "postgres.in_use",
  "postgres.orphan_will_not_end",
  "postgres.other_version",
  "postgres.initdb_failed",
  "postgres.start_failed",
] as const;
export type PostgresFailureCode = (typeof POSTGRES_FAILURES)[number];

export interface PostgresFailure {
  readonly code: PostgresFailureCode;
  readonly message: string;
}
