import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { nodeBinary } from "@holdfast/testkit/servers/machine.ts";
import { AGENT_ENTRY, bundleAgent, REPOSITORY_ROOT, SESSION_ENTRY } from "./bundle.ts";
import { copyrightText } from "./licences.ts";
import { StagingTree } from "./staging-tree.ts";

/** Where the program lies on a server; the units and the wrapper name these places. */
const PROGRAM = "usr/lib/holdfast-agent";
const UNITS = "usr/lib/systemd/system";
const DOCUMENTS = "usr/share/doc/holdfast-agent";

const MAINTAINER_SCRIPTS = ["preinst", "postinst", "prerm", "postrm"] as const;

/** zstd: what dpkg of Debian 12 and Ubuntu 22.04 reads. Level by how much time there is: above 12 it takes minutes for little. */
const COMPRESSION_LEVEL = { quick: 1, small: 12 } as const;

export interface PackageWish {
  readonly folder: string;
  readonly compression: keyof typeof COMPRESSION_LEVEL;
  /** SOURCE_DATE_EPOCH: the one time that is in the package. */
  readonly epochSeconds: number;
}

/** Builds holdfast-agent_VERSION_amd64.deb: the same sources give the same bytes. Answers with its path. */
export async function buildAgentPackage({ folder, compression, epochSeconds }: PackageWish): Promise<string> {
  const version = versionOfAgent();
  const work = mkdtempSync(join(tmpdir(), "holdfast-package-"));
  try {
    const tree = new StagingTree(join(work, "tree"));
    const bundled = await bundleAgent(AGENT_ENTRY, join(work, "holdfast-agent.mjs"));
    // Nothing is in the session's that is not in this one, whose packages are named in the copyright.
    await bundleAgent(SESSION_ENTRY, join(work, "holdfast-session.mjs"));
    furnish(tree, work, bundled);
    const control = controlFile(version, tree.installedKib());
    const sums = tree.md5sums();
    tree.write("DEBIAN/control", control);
    tree.write("DEBIAN/md5sums", sums);
    for (const name of MAINTAINER_SCRIPTS) tree.write(`DEBIAN/${name}`, maintainerScript(name), 0o755);
    tree.settle(epochSeconds);
    const name = `holdfast-agent_${version}_amd64.deb`;
    const made = join(work, name);
    execFileSync(
      "dpkg-deb",
      [
        "--root-owner-group",
        "-Zzstd",
        `-z${COMPRESSION_LEVEL[compression]}`,
        "--threads-max=1",
        "--build",
        tree.root,
        made,
      ],
      {
        env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds) },
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    mkdirSync(folder, { recursive: true });
    return intoPlace(made, folder, name);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function furnish(tree: StagingTree, bundles: string, bundledFiles: readonly string[]): void {
  const systemd = join(REPOSITORY_ROOT, "deploy/systemd");
  tree.copy(nodeBinary, `${PROGRAM}/node`, 0o755);
  for (const name of ["holdfast-agent.mjs", "holdfast-session.mjs"])
    tree.copy(join(bundles, name), `${PROGRAM}/${name}`);
  tree.copy(join(systemd, "with-journal.pl"), `${PROGRAM}/with-journal.pl`);
  tree.copy(join(import.meta.dirname, "holdfast-left.service"), `${PROGRAM}/holdfast-left.service`);
  tree.write("usr/bin/holdfast-agent", WRAPPER, 0o755);
  for (const name of readdirSync(systemd, { recursive: true, encoding: "utf8" })) {
    if (/\.(service|socket|timer|conf)$/.test(name)) tree.copy(join(systemd, name), `${UNITS}/${name}`);
  }
  tree.copy(join(systemd, "holdfast-agent.sysusers"), "usr/lib/sysusers.d/holdfast-agent.conf");
  tree.copy(join(systemd, "holdfast-agent.tmpfiles"), "usr/lib/tmpfiles.d/holdfast-agent.conf");
  tree.write(`${DOCUMENTS}/copyright`, copyrightText(REPOSITORY_ROOT, bundledFiles, nodeVersion()));
  tree.write(`${DOCUMENTS}/changelog.gz`, gzipSync(readFileSync(join(REPOSITORY_ROOT, "CHANGELOG.md")), { level: 9 }));
}

const WRAPPER = `#!/bin/sh
exec /${PROGRAM}/node --disable-warning=ExperimentalWarning /${PROGRAM}/holdfast-agent.mjs "$@"
`;

function controlFile(version: string, installedKib: number): string {
  const fields = {
    Package: "holdfast-agent",
    Version: version,
    Architecture: "amd64",
    Maintainer: "Holdfast <maintainers@holdfast.invalid>",
    "Installed-Size": String(installedKib),
    // Node's own needs, then what the firewall module drives. Without systemd the agent runs as one process: holdfast-agent run.
    Depends: "libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1, nftables (>= 0.9.8), iproute2, passwd",
    // The tools that a server is looked from; without one of them that tool says so.
    Recommends: "systemd (>= 249), iputils-ping, iputils-tracepath, tcpdump",
    // Tunnels; a server without them takes no part in any, and says so.
    Suggests: "strongswan-swanctl, charon-systemd, libcharon-extauth-plugins",
    Section: "admin",
    Priority: "optional",
    Description: "agent of Holdfast, the control plane that locks nobody out",
  };
  const text = `It takes signed changes of network and firewall settings from a control plane,
applies them on trial, and puts the server back by itself unless they are confirmed
over a new connection. Nothing runs before the server is enrolled.`;
  const head = Object.entries(fields).map(([field, value]) => `${field}: ${value}\n`);
  return [...head, ...text.split("\n").map((line) => ` ${line}\n`)].join("");
}

/** The scripts share what they all must know; dpkg wants each to be one file. */
function maintainerScript(name: (typeof MAINTAINER_SCRIPTS)[number]): string {
  const read = (file: string): string => readFileSync(join(import.meta.dirname, "debian", file), "utf8");
  return read(name).replace(/^# @include (\S+)\n/gm, (_line, file: string) => read(file));
}

function versionOfAgent(): string {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY_ROOT, "agent/package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

function nodeVersion(): string {
  return execFileSync(nodeBinary, ["--version"], { encoding: "utf8" }).trim();
}

/** In one instant: a server may be installing the old one. The folders may be on two disks. */
function intoPlace(made: string, folder: string, name: string): string {
  const fresh = join(folder, `.${String(process.pid)}.${name}`);
  execFileSync("cp", ["--", made, fresh]);
  renameSync(fresh, join(folder, name));
  return join(folder, name);
}
