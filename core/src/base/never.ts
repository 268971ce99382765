/** Ends an exhaustive switch: a new member of the union does not compile until it has a case. */
export function assertNever(value: never, what = "value"): never {
  throw new Error(`unreachable ${what}: ${JSON.stringify(value)}`);
}
