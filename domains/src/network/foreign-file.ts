import type { ForeignFile, NetworkObserved, ObservedLink } from "./observed.ts";

/** The file of somebody else that networkd would take for this link if ours were not there; null: none that can be told. */
export function foreignFileFor(
  link: Pick<ObservedLink, "name" | "mac">,
  observed: NetworkObserved,
): ForeignFile | null {
  return observed.foreign.find((file) => file.kind === "network" && matches(file.text, link)) ?? null;
}

/** `[Match]` of a file that we did not write: names with wildcards and hardware addresses are understood, and a file that asks for more is not. */
function matches(text: string, link: Pick<ObservedLink, "name" | "mac">): boolean {
  const head = /^\[Match\]\s*$([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(text)?.[1] ?? "";
  const lines = head
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith(";"));
  return (
    lines.length > 0 &&
    lines.every((line) => {
      const cut = line.indexOf("=");
      const [key, values] = [
        line.slice(0, cut).trim(),
        line
          .slice(cut + 1)
          .trim()
          .split(/\s+/),
      ];
      if (key === "Name") return values.some((pattern) => globMatches(pattern, link.name));
      if (key === "MACAddress" || key === "PermanentMACAddress")
        return values.some((mac) => mac.toLowerCase() === link.mac);
      return false;
    })
  );
}

function globMatches(pattern: string, name: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  try {
    return new RegExp(`^${expression}$`).test(name);
  } catch {
    return false; // a class that is not closed matches nothing
  }
}

/** Whether networkd takes this file before ours, by the order of names. */
export function sortsFirst(path: string): boolean {
  return path.slice(path.lastIndexOf("/") + 1) < "04-holdfast-";
}
