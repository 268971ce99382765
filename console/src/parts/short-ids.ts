const UUID = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})\b/g;

/** `change/01a2033a-8d08-…-8300` to `change/01a2033a…8300`: enough to tell two apart where the whole is a click away. */
export function shortIds(text: string): string {
  return text.replaceAll(UUID, "$1…$2");
}
