/** A place in a document: keys of maps and indexes of lists, from the outside in. */
export type Path = readonly (string | number)[];

/** The one text of a path: `firewall.inbound.rules[2].from`, and `sysctl["net.core.somaxconn"]` where a key is no plain word. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** Reads what `formatPath` wrote; null when the text is no path. */
export function parsePath(text: string): Path | null {
  const parts: (string | number)[] = [];
  const step = /\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (step.lastIndex < text.length) {
    const found = step.exec(text);
    if (found === null) return null;
    const [, key, index, quoted] = found;
    if (key !== undefined) parts.push(key);
    else if (index !== undefined) parts.push(Number(index));
    else parts.push(String(JSON.parse(quoted ?? '""')));
  }
  return parts;
}
