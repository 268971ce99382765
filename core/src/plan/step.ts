import type { DomainName } from "../domain.ts";
import type { IpState, LinkChange } from "./ip-state.ts";
import type { IpsecAct, IpsecKey } from "./ipsec-state.ts";

/**
 * One act on the server, as data. The agent's `os` room has one performer per kind and no other way to touch the machine.
 * A step is idempotent: doing it again on a server that has it changes nothing.
 */
export type Action =
  /** One atomic batch for `nft -f`. It may name only the table `inet holdfast`. */
  | { readonly kind: "nft"; readonly batch: string }
  /** Writes a file whole: temporary file, fsync, rename, fsync of the directory. `path` must be on the domain's own list. */
  | { readonly kind: "write_file"; readonly path: string; readonly mode: number; readonly text: string }
  /** Removes a file of ours; already gone is success. */
  | { readonly kind: "remove_file"; readonly path: string }
  /** Sets a kernel setting at run time and reads it back. In `key` a dot inside a name is a slash: `net.ipv4.conf.eth0/100.rp_filter`. */
  | { readonly kind: "sysctl"; readonly key: string; readonly value: string }
  /** The name that the kernel tells programs, until the next boot, and reads it back. */
  | { readonly kind: "hostname"; readonly name: string }
  /** Where the link /etc/localtime points, as text below /usr/share/zoneinfo; null: there is no link, which means UTC. */
  | { readonly kind: "localtime"; readonly target: string | null }
  /** Our lines at the head of /etc/hosts; null takes them away. What others wrote there stays byte for byte. */
  | { readonly kind: "hosts_block"; readonly block: string | null }
  /**
   * Our file among those of sshd; null removes it. With `check` sshd is asked first, about what is there and then about a copy with the
   * change, in which each keyword of `effective` must come out with these very values; an undo does not ask. Then `reload` is reloaded (null:
   * no sshd runs on its own), and must listen on each of `listens`.
   */
  | {
      readonly kind: "sshd";
      readonly text: string | null;
      readonly check: boolean;
      readonly effective: { readonly [keyword: string]: readonly string[] };
      readonly reload: "ssh.service" | "sshd.service" | null;
      readonly listens: readonly number[];
    }
  /**
   * Changes what is stated of an account; with `make` it may have to be made first, without a password and without a home. Null removes it,
   * and its home stays.
   */
  | {
      readonly kind: "account";
      readonly name: string;
      readonly want: {
        readonly make: boolean;
        readonly comment?: string;
        readonly expires?: string;
        readonly groups?: readonly string[];
        readonly shell?: string;
      } | null;
    }
  | { readonly kind: "group"; readonly name: string; readonly exists: boolean }
  /** The home below /home that an account names, made from the server's own skeleton where there is none. */
  | { readonly kind: "home"; readonly name: string }
  /** Our file among those of sudo; null removes it. With `check` sudo is asked first, about what is there and then about the file. */
  | { readonly kind: "sudo"; readonly text: string | null; readonly check: boolean }
  /** A certificate authority that the server's programs trust, and the bundle made anew; null takes it away. */
  | { readonly kind: "authority"; readonly name: string; readonly text: string | null }
  /** Our list of modules to load at boot, and loads them now. What is loaded stays so until the next boot. */
  | { readonly kind: "modules"; readonly text: string | null }
  /** Our file among those of rsyslog, which is asked first where `check`, and then restarted where it runs. */
  | { readonly kind: "rsyslog"; readonly text: string | null; readonly check: boolean }
  /**
   * Our file of a timer; null removes it, and systemd reads its files again. With `check` systemd is asked first what it makes of the times.
   */
  | { readonly kind: "timer"; readonly path: string; readonly text: string | null; readonly check: boolean }
  /**
   * The timer of a task of ours: its file, and with `runs` started and started at boot; a text of null takes it away. With `check` systemd is
   * asked first what it makes of the time, and what the unit would do to the server.
   */
  | {
      readonly kind: "task";
      readonly name: string;
      readonly text: string | null;
      readonly runs: boolean;
      readonly check: boolean;
    }
  /** One line of /etc/login.defs, in its place or at the head; null takes it away. All other lines stay byte for byte. */
  | { readonly kind: "login_setting"; readonly key: string; readonly line: string | null }
  /** One act on a unit of systemd. What is so already stays so. */
  | { readonly kind: "unit"; readonly unit: string; readonly verb: UnitVerb }
  /**
   * networkd reads its files again and sets up what has changed, and the links of `reconfigure` anyway. Then it is given time to be done with
   * the links of `settle`. It fails only where a link that has a carrier and waits for a lease gets none: reading back decides the rest.
   */
  | {
      readonly kind: "networkd";
      readonly reconfigure: readonly string[];
      readonly settle: readonly { readonly link: string; readonly lease: boolean }[];
    }
  /** One change of one link in the kernel. A link that is gone is success for `delete` and `down`. */
  | { readonly kind: "link"; readonly link: string; readonly change: LinkChange }
  /** Takes away what is `absent`, then makes what is `present`, each alone; what the kernel refuses is left to the reading back. */
  | { readonly kind: "ip_state"; readonly absent: IpState; readonly present: IpState }
  /** One request to strongSwan's daemon, over vici. */
  | { readonly kind: "ipsec"; readonly act: IpsecAct }
  /** The keys that strongSwan loads by itself when it starts, read from their files at this moment; an empty list removes them. */
  /** `certificates`, as the base64 of their DER: left out by plans from before there were any. */
  | { readonly kind: "ipsec_boot_keys"; readonly keys: readonly IpsecKey[]; readonly certificates?: readonly string[] };

export const UNIT_VERBS = ["start", "stop", "enable", "disable", "restart"] as const;
export type UnitVerb = (typeof UNIT_VERBS)[number];

export type ActionKind = Action["kind"];

export interface Step {
  /** Unique in the plan, stable over re-planning of the same difference, for example `firewall.batch`. */
  readonly id: string;
  readonly domain: DomainName;
  /** What it does, in words, for the plan, the progress display and the log. */
  readonly title: string;
  readonly action: Action;
  /** Milliseconds it may take before it counts as failed; becomes part of the armed deadline. */
  readonly budgetMs: number;
}
