import type { CST } from "yaml";

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where comments stand in a text. Asked of the tokens: a `#` inside a quoted or block text is none. */
export function commentsOf(tokens: readonly CST.Token[]): readonly Stretch[] {
  const found: Stretch[] = [];
  const look = (part: unknown): void => {
    if (Array.isArray(part)) for (const inner of part) look(inner);
    else if (typeof part === "object" && part !== null) {
      const { type, offset, source } = part as Partial<CST.SourceToken>;
      if (type === "comment" && offset !== undefined && source !== undefined)
        found.push({ start: offset, end: offset + source.length });
      else for (const inner of Object.values(part)) look(inner);
    }
  };
  look(tokens);
  return found;
}

/** The first comment that is wholly or partly within a stretch of the text. */
export function commentWithin(comments: readonly Stretch[], { start, end }: Stretch): Stretch | undefined {
  return comments.find((comment) => comment.start < end && comment.end > start);
}
