import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repository } from "../servers/machine.ts";

/** Where the package puts its program; the units name these paths and no others. */
const PACKAGED_NODE = "/usr/lib/holdfast-agent/node";
const PACKAGED_BUNDLE = "/usr/lib/holdfast-agent/holdfast-agent.mjs";
const PACKAGED_SESSION = "/usr/lib/holdfast-agent/holdfast-session.mjs";
const PACKAGED_LAUNCHER = "/usr/lib/holdfast-agent/with-journal.pl";

/** Folders that the units do not see. A checkout may lie there. */
const UNSEEN_HOMES = ["/home/", "/root/", "/run/user/"] as const;
const UNSEEN_TEMPORARY = ["/tmp/", "/var/tmp/"] as const;

export interface UnitFile {
  /** Below /etc/systemd/system, or the whole path. */
  readonly path: string;
  readonly text: string;
}

/** The package's own units, with the programs of this checkout in place of the package's. */
export function unitsForCheckout(node: string, bundle: string, session: string): readonly UnitFile[] {
  const folder = join(repository, "deploy/systemd");
  const launcher = join(folder, "with-journal.pl");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
  return names
    .filter((name) => /\.(service|socket|timer|conf)$/.test(name))
    .map((name) => ({
      path: `/etc/systemd/system/${name}`,
      text: seeing([node, bundle, session, launcher], readFileSync(join(folder, name), "utf8"))
        .replaceAll(PACKAGED_NODE, node)
        .replaceAll(PACKAGED_BUNDLE, bundle)
        .replaceAll(PACKAGED_SESSION, session)
        .replaceAll(PACKAGED_LAUNCHER, launcher),
    }));
}

export function accountsFile(): UnitFile {
  const text = readFileSync(join(repository, "deploy/systemd/holdfast-agent.sysusers"), "utf8");
  return { path: "/etc/sysusers.d/holdfast-agent.conf", text };
}

/** Lets a sandbox see programs that lie in a folder which it hides. */
function seeing(programs: readonly string[], unit: string): string {
  if (!unit.includes(PACKAGED_NODE)) return unit;
  const folders = [...new Set(programs.map((program) => dirname(program)))];
  const isIn = (roots: readonly string[]): boolean =>
    folders.some((folder) => roots.some((root) => folder.startsWith(root)));
  const hidden = folders.filter((folder) =>
    [...UNSEEN_HOMES, ...UNSEEN_TEMPORARY].some((root) => folder.startsWith(root)),
  );
  const homes = isIn(UNSEEN_HOMES) ? unit.replace("ProtectHome=yes", "ProtectHome=tmpfs") : unit;
  return hidden.length === 0
    ? homes
    : homes.replace("[Service]\n", `[Service]\nBindReadOnlyPaths=${hidden.join(" ")}\n`);
}
