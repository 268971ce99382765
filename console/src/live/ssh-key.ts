/** A public key as people compare it: `SHA256:` and the digest of its body, as ssh-keygen -l writes it. */
export async function keyFingerprint(line: string): Promise<string | null> {
  const body = line.split(" ")[1];
  // Browsers have no digests on a page that came over plain HTTP from another machine.
  if (body === undefined || globalThis.crypto?.subtle === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return `SHA256:${btoa(String.fromCharCode(...digest)).replace(/=+$/, "")}`;
  } catch {
    return null;
  }
}

/** Kind and comment of a key, for people. */
export function keyWords(line: string): { readonly kind: string; readonly comment: string } {
  const [kind = "", , ...comment] = line.split(" ");
  return { kind, comment: comment.join(" ") };
}
