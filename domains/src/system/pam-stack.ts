/** What PAM does for a service, from its files below /etc/pam.d (pam.conf(5)). They are read and never written: a slip there lets nobody in, or everybody. */
export const PAM_FILES = [
  "sshd",
  "login",
  "passwd",
  "common-auth",
  "common-password",
  "system-auth",
  "password-auth",
] as const;

export type PamType = "auth" | "password";

/** One line that names a module, where it stands. Type alias, so that it is plain JSON to the compiler too. */
export type PamLine = {
  readonly path: string;
  readonly line: number;
  readonly module: string;
  readonly args: readonly string[];
};

/** Files that include each other further than this do so in a circle. */
const DEEPEST = 8;

/** All lines of one type that a service comes to, in the order in which PAM does. */
export function pamLines(
  files: Readonly<Record<string, string>>,
  service: string,
  type: PamType,
  depth = 0,
): readonly PamLine[] {
  const text = files[service];
  if (text === undefined || depth > DEEPEST) return [];
  return text.split("\n").flatMap((raw, index): readonly PamLine[] => {
    const line = raw.replace(/#.*/, "").trim();
    const whole = /^@include\s+(\S+)$/.exec(line)?.[1];
    if (whole !== undefined) return pamLines(files, whole, type, depth + 1);
    const [, of, control, module = "", args = ""] =
      /^-?(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
    if (of !== type) return [];
    if (control === "include" || control === "substack") return pamLines(files, module, type, depth + 1);
    const words = args.split(/\s+/).filter((word) => word !== "");
    const name = module.slice(module.lastIndexOf("/") + 1);
    return [{ path: `/etc/pam.d/${service}`, line: index + 1, module: name, args: words }];
  });
}
