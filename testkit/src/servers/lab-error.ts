/** A fault of the laboratory itself (a boot that failed, a name that is too long): never a finding about Holdfast. */
export class LabError extends Error {
  override readonly name = "LabError";
}
