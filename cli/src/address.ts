import { usageError } from "./cli-error.ts";

/** Where the control plane is, as paths are put behind it. A word that is no address is a mistake in typing, not a control plane that is away. */
export function readAddress(text: string): string {
  const url = URL.parse(text);
  const usable = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  if (!usable)
    throw usageError(
      `${text === "" ? "Nothing" : text} is not the address of a control plane.`,
      "Write HOLDFAST_URL or --url as https://holdfast.example, or http://127.0.0.1:7080.",
    );
  return text.replace(/\/+$/, "");
}
