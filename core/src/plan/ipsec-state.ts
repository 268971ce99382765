/** Parts of strongSwan's state, as data: what its daemon is told over vici and what it answers. Type aliases, so that they are plain JSON too. */

/** One connection as it is loaded: an IKE connection with exactly one child. */
export type IpsecConn = {
  /** The connection's name; ours begin with `holdfast-`. */
  readonly name: string;
  /**
   * The child's name, made of everything in this connection: charon lists neither proposals nor lifetimes, so that they are as they were
   * loaded is known by this name alone.
   */
  readonly label: string;
  /** Null: any of this server's. */
  readonly localAddress: string | null;
  /** Null: wherever the other end calls from. */
  readonly remoteAddress: string | null;
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  readonly localNetworks: readonly string[];
  readonly remoteNetworks: readonly string[];
  readonly ikeProposals: readonly string[];
  readonly childProposals: readonly string[];
  readonly ikeSeconds: number;
  readonly childSeconds: number;
  readonly deadSeconds: number;
  readonly deadThen: "restart" | "clear";
  /** This end begins. */
  readonly starts: boolean;
  /** The number of the interface that leads into the tunnel. Left out: packets are chosen by their addresses. */
  readonly linkId?: number;
  /** Names of pools: the other end is a person, whose network is the address that is given out of them. Left out: it has networks of its own. */
  readonly pools?: readonly string[];
  /**
   * As the base64 of their DER: by which this end proves itself, the very one that the other end has (null: any of the authority), and the authority
   * that has issued the other end's (null: that very one is believed by itself). Left out: the ends have a pre-shared key.
   */
  readonly certificates?: { readonly own: string; readonly peer: string | null; readonly authority: string | null };
  /**
   * The other end is a person with a user name and a password (EAP-MSCHAPv2), whatever their device calls itself. `name` null: the connection by which whoever
   * calls is asked for a name, and which lets in nobody.
   */
  readonly password?: { readonly name: string | null };
};

/** Addresses that are given to people, one network of them. */
export type IpsecPool = {
  /** Made of everything in it, as the label of a connection is: charon gives its addresses back, and not what else it was told. */
  readonly name: string;
  readonly network: string;
  /** Resolvers that whoever gets an address is told to ask. */
  readonly dns: readonly string[];
};

/** A pre-shared key, a password or a private key by the name of its file: the key itself is in no step, no snapshot and no log. */
export type IpsecKey = {
  /** What it is called in charon, which tells only this of it. */
  readonly id: string;
  /** Name of a file in the folder of keys, or of one that the store of secrets brought. */
  readonly file: string;
  /** The identity that it proves, the other end's; before it, in the notes of earlier versions, this end's. Empty: a private key, known by its id. */
  readonly owners: readonly string[];
};

export type IpsecAct =
  | { readonly op: "load_conn"; readonly conn: IpsecConn }
  /** A connection that is not there is success. */
  | { readonly op: "unload_conn"; readonly name: string }
  | { readonly op: "load_key"; readonly key: IpsecKey }
  | { readonly op: "unload_key"; readonly id: string }
  /** Ends the security associations of a connection; none is success. */
  | { readonly op: "terminate"; readonly name: string }
  /**
   * Begins a new key exchange. Within `patienceMs` it is tried again. An end that answers and refuses is a failure, in its words; silence is
   * not, since the other end may come later.
   */
  | { readonly op: "initiate"; readonly name: string; readonly label: string; readonly patienceMs: number }
  /** Replaces the keys of a child once. Without a child there is nothing to replace, which is success; a child that keeps its keys is a failure. */
  | { readonly op: "rekey"; readonly name: string; readonly label: string }
  /** A pool that is there already is success. */
  | { readonly op: "load_pool"; readonly pool: IpsecPool }
  /** A pool that is not there is success; one out of which somebody still has an address is not. */
  | { readonly op: "unload_pool"; readonly name: string }
  /** Connections of many people and their keys, in one step: each by itself would take longer to note down than to load. */
  | { readonly op: "load_people"; readonly keys: readonly IpsecKey[]; readonly conns: readonly IpsecConn[] }
  /** Takes connections away, ends what is agreed under any of these names, takes keys away. */
  | {
      readonly op: "end_people";
      readonly unload: readonly string[];
      readonly terminate: readonly string[];
      readonly keys: readonly string[];
    };

/** What an operator asks of a connection that is loaded. `label` null: of the whole association, not of its child alone. */
export type IpsecOperation =
  | { readonly op: "begin"; readonly name: string; readonly label: string }
  | { readonly op: "end"; readonly name: string; readonly label: string | null }
  | { readonly op: "renew"; readonly name: string; readonly label: string | null };

/** Why an operation did not come to its end. `gone`: what it was for ended meanwhile; `refused`: the other end said so, in its own word. */
export type IpsecFailure = {
  readonly kind: "gone" | "refused" | "silent" | "failed";
  readonly why: string;
};

/** A connection as charon lists it. */
export type IpsecListed = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly localAddresses: readonly string[];
  readonly remoteAddresses: readonly string[];
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  readonly localNetworks: readonly string[];
  readonly remoteNetworks: readonly string[];
  readonly version: string;
};

/** A security association with its children, as it is at this moment. */
export type IpsecSa = {
  readonly name: string;
  readonly state: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly establishedSeconds: number;
  readonly rekeySeconds: number;
  /** Addresses that the other end has of ours. Left out by an agent from before pools. */
  readonly virtualAddresses?: readonly string[];
  readonly children: readonly {
    readonly label: string;
    readonly state: string;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly rekeySeconds: number;
  }[];
};

/** A pool as charon lists it. */
export type IpsecPoolSeen = {
  readonly name: string;
  readonly base: string;
  readonly size: number;
  /** Addresses that somebody has now. */
  readonly online: number;
  /** Addresses that are kept for somebody who had them. */
  readonly offline: number;
};

/** Who encrypts packets: the kernel, charon itself (its plugin kernel-libipsec), or nobody. */
export type IpsecDataPlane = "kernel" | "libipsec" | "none";

export type IpsecReading = {
  readonly charon:
    | { readonly state: "down"; readonly why: string }
    | {
        readonly state: "up";
        readonly version: string;
        readonly dataPlane: IpsecDataPlane;
        /** What it lacks to ask people for a password: plugins by their names. Left out by an agent from before passwords. */
        readonly passwordLacks?: readonly string[];
        readonly conns: readonly IpsecListed[];
        /** Pre-shared ones and passwords by their names, private ones by their numbers. */
        readonly keys: readonly string[];
        readonly sas: readonly IpsecSa[];
        /** Left out by an agent from before pools. */
        readonly pools?: readonly IpsecPoolSeen[];
      };
  /** Files in the folder of keys: name to what is wrong with it, null where it can be used. Never what is in them. */
  readonly keyFiles: { readonly [name: string]: string | null };
};
