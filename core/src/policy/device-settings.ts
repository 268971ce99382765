import type { TunnelSuite } from "./tunnel-suite.ts";

/** What people type into the systems that they have, where a name and a password open the tunnel (EAP-MSCHAPv2, IKEv2). */
export interface DeviceWish {
  /** How the connection is called on the device. */
  readonly connection: string;
  /** What is called, and what the certificate of the server names. */
  readonly server: string;
  readonly user: string;
  readonly suite: TunnelSuite;
  /** Null: everything goes into the tunnel. */
  readonly networks: readonly string[] | null;
}

type Row = readonly [string, string];

interface DeviceSuite {
  readonly windows: string;
  /** Of both `IKESecurityAssociationParameters` and `ChildSecurityAssociationParameters` of a profile. */
  readonly apple: string;
}

/** In the words of Set-VpnConnectionIPsecConfiguration and of Apple's profiles (com.apple.vpn.managed, IKEv2). */
const DEVICE_SUITES = {
  "strong-2026": {
    windows:
      "-AuthenticationTransformConstants GCMAES256 -CipherTransformConstants GCMAES256 -EncryptionMethod GCMAES256 -IntegrityCheckMethod SHA384 -PfsGroup ECP384 -DHGroup ECP384",
    apple: "EncryptionAlgorithm AES-256-GCM, IntegrityAlgorithm SHA2-384, DiffieHellmanGroup 20",
  },
  "compatible-2026": {
    windows:
      "-AuthenticationTransformConstants SHA256128 -CipherTransformConstants AES256 -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 -PfsGroup ECP256 -DHGroup ECP256",
    apple: "EncryptionAlgorithm AES-256, IntegrityAlgorithm SHA2-256, DiffieHellmanGroup 19",
  },
} as const satisfies Record<TunnelSuite, DeviceSuite>;

export function deviceRows({ connection, server, user, suite, networks }: DeviceWish): readonly Row[] {
  const { windows, apple } = DEVICE_SUITES[suite];
  const split = networks === null ? "" : " -SplitTunneling";
  const routes = (networks ?? []).map((network): Row => [
    `Windows, PowerShell: ${network}`,
    `Add-VpnConnectionRoute -ConnectionName ${connection} -DestinationPrefix ${network}`,
  ]);
  return [
    ["Windows, first", "put our authority into Local Machine, Trusted Root Certification Authorities"],
    [
      "Windows, PowerShell: connection",
      `Add-VpnConnection -Name ${connection} -ServerAddress ${server} -TunnelType Ikev2 -AuthenticationMethod Eap -EncryptionLevel Required${split}`,
    ],
    [
      "Windows, PowerShell: algorithms",
      `Set-VpnConnectionIPsecConfiguration -ConnectionName ${connection} ${windows} -Force`,
    ],
    ...routes,
    [
      "macOS, iOS",
      `trust our authority; VPN, IKEv2: server and remote ID ${server}, local ID ${user}, authentication by user name. By a profile: CertificateType ECDSA384, ${apple}`,
    ],
    [
      "Android",
      `install our authority as a CA certificate; IKEv2/IPSec MSCHAPv2: server address ${server}, IPSec identifier ${user}, IPSec CA certificate: our authority`,
    ],
    [
      "strongSwan",
      `auth eap-mschapv2, eap_id ${user}; remote id ${server}, cacerts: our authority; vips 0.0.0.0 or ::`,
    ],
  ];
}
