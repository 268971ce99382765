/** The stream that deploy/vector fills. */
export const STREAM = "holdfast";
