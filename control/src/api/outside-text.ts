/** What a server says is cut to this: text of an agent that lies is no way to fill a page. */
const LONGEST_TEXT = 300;

/** Line breaks, escapes and marks that turn the direction of writing: they would make one line look like another. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text from outside as one line that looks like what it is. */
export function short(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(CONTROLS, "?");
}

/** The same of text in lines, whole. */
export function lines(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(CONTROLS, (found) => (found === "\n" || found === "\t" ? found : "?"));
}
