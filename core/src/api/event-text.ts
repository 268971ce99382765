/** One event of a stream of server-sent events. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** What its data says; null where that is no JSON. */
export function eventValue(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

/** Bytes of an event that is still coming; one of ours is far below, and what is no stream of ours must not fill the memory. */
const LONGEST_EVENT = 4 * 1024 * 1024;

/** Reads server-sent events as they come in parts, as far as this API sends them: one line of data each. */
export function eventReader(): (part: string) => readonly StreamEvent[] {
  let rest = "";
  return (part) => {
    const blocks = (rest + part).split("\n\n");
    rest = blocks.pop() ?? "";
    if (rest.length > LONGEST_EVENT) rest = "";
    return blocks.flatMap((block) => {
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      return data === undefined ? [] : [{ event: /^event: ?(.*)$/m.exec(block)?.[1] ?? "message", data }];
    });
  };
}
