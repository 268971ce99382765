import { requestCommands } from "@holdfast/core/policy/request-command.ts";
import { routeOf } from "@holdfast/testkit/house/house-networks.ts";
import type { House } from "@holdfast/testkit/house/house.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";

/** How the connection is called on the device. */
const CONNECTION = "office";

export interface Handed {
  /** What the device calls, which is how the server calls itself. */
  readonly server: string;
  readonly networks: string;
  readonly certificate: string;
  readonly authority: string;
}

export interface Called {
  /** Null: turned away. */
  readonly address: string | null;
  readonly log: string;
}

/** A notebook of somebody outside, with strongSwan and nothing of ours on it. */
export class PersonDevice {
  readonly machine: LabServer;
  readonly #identity: string;

  private constructor(machine: LabServer, identity: string) {
    this.machine = machine;
    this.#identity = identity;
  }

  static async switchOn(house: House, address: string, identity: string): Promise<PersonDevice> {
    const machine = house.lab.server({
      name: "notebook",
      kind: "systemd",
      enable: ["strongswan"],
      attachments: [{ network: house.networks.lan, interface: "eth0", addresses: [address] }],
      routes: routeOf(false),
    });
    await machine.start();
    await useOwnDataPlane(machine, true);
    return new PersonDevice(machine, identity);
  }

  /** Its key, and the request for it, by the very command that people are shown. */
  async makeRequest(): Promise<string> {
    const [openssl] = requestCommands(this.#identity, "me");
    if (openssl === undefined) throw new Error("no command is shown");
    const script = `cd /root && ${openssl.command} 2>/dev/null && mv me.key /etc/swanctl/private/ && cat me.csr`;
    return this.machine.must(["sh", "-c", script]);
  }

  /** What the person does with what they were handed. */
  async setUp({ server, networks, certificate, authority }: Handed): Promise<void> {
    await this.machine.writeFile("/etc/swanctl/x509/me.crt", certificate);
    await this.machine.writeFile("/etc/swanctl/x509ca/house.crt", authority);
    await this.machine.writeFile(
      "/etc/swanctl/conf.d/office.conf",
      `connections {
  ${CONNECTION} {
    version = 2
    remote_addrs = ${server}
    vips = 0.0.0.0
    proposals = aes256gcm16-prfsha384-ecp384
    keyingtries = 1
    local {
      auth = pubkey
      certs = me.crt
      id = "${this.#identity}"
    }
    remote {
      auth = pubkey
      cacerts = house.crt
      id = ${server}
    }
    children {
      ${CONNECTION} {
        remote_ts = ${networks}
        esp_proposals = aes256gcm16-ecp384
      }
    }
  }
}
`,
      0o600,
    );
    await this.machine.must(["swanctl", "--load-all"]);
  }

  /** "Connect" is pressed. */
  async call(): Promise<Called> {
    const { stdout, stderr } = await this.machine.exec([
      "swanctl",
      "--initiate",
      "--child",
      CONNECTION,
      "--timeout",
      "10",
    ]);
    const log = `${stdout}\n${stderr}`;
    const given = /installing new virtual IP (\S+)/.exec(log)?.[1];
    return { address: /CHILD_SA .* established/.test(log) ? (given ?? "") : null, log };
  }

  /** Whether the one behind the server answers to the address that this device was given. */
  async reaches(target: string, from: string): Promise<boolean> {
    return (await this.machine.exec(["ping", "-c", "1", "-W", "2", "-I", from, target])).code === 0;
  }

  connections(): Promise<string> {
    return this.machine.must(["swanctl", "--list-sas"]);
  }
}
