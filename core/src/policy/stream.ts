/** One document of a stream: its text, and where that begins in the whole. */
export interface Slice {
  readonly text: string;
  readonly offset: number;
  /** 0-based line on which the slice begins. */
  readonly line: number;
}

/**
 * Cuts a stream before each line that begins with `---`. In YAML that line is a document marker wherever it stands, in a block scalar too,
 * so no parser is needed, and the slices joined are the text, byte for byte.
 */
export function splitStream(text: string): readonly Slice[] {
  const slices: Slice[] = [];
  let offset = 0;
  let line = 0;
  let sliceLine = 0;
  for (let at = 0; at < text.length; line += 1) {
    const newline = text.indexOf("\n", at);
    if (at > offset && /^---(?:[ \t\r\n]|$)/.test(text.slice(at, at + 4))) {
      slices.push({ text: text.slice(offset, at), offset, line: sliceLine });
      offset = at;
      sliceLine = line;
    }
    at = newline === -1 ? text.length : newline + 1;
  }
  slices.push({ text: text.slice(offset), offset, line: sliceLine });
  return slices;
}
