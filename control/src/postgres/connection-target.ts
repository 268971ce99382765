/**
 * Where a PostgreSQL is and as whom to speak to it. A socket target has no password: the kernel says who is asking (peer authentication).
 */
export type ConnectionTarget =
  | { readonly kind: "socket"; readonly directory: string; readonly user: string; readonly database: string }
  | { readonly kind: "url"; readonly url: string };

/** The role that a target speaks as. A URL without a user name is refused when the configuration is read. */
export function roleOf(target: ConnectionTarget): string {
  return target.kind === "socket" ? target.user : decodeURIComponent(new URL(target.url).username);
}
