import type { Finding } from "@holdfast/core/base/finding.ts";

/** As the API sends it: a missing place is absent or undefined. */
export type FindingLike = { [Key in keyof Finding]: Finding[Key] | undefined } & Pick<
  Finding,
  "severity" | "code" | "path" | "message" | "remedy"
>;

/** The same remark about the same place. */
export function findingKey(finding: FindingLike): string {
  return `${finding.code} ${finding.path}`;
}
