/** How a device makes its key, which stays there, and the request that it sends: by whom, and the command as it is typed. */
export interface RequestCommand {
  readonly with: "OpenSSL" | "strongSwan";
  readonly command: string;
}

/**
 * @param user the mail address of the person
 * @param name of the files: NAME.key stays on the device, NAME.csr is what is sent
 */
export function requestCommands(user: string, name: string): readonly RequestCommand[] {
  const [key, request] = [`${name}.key`, `${name}.csr`];
  return [
    {
      with: "OpenSSL",
      command: `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout ${key} -subj /CN=${user} -out ${request}`,
    },
    {
      with: "strongSwan",
      // The key is read by nobody else from its first byte on.
      command: `(umask 077; pki --gen --type ecdsa --size 384 --outform pem > ${key}) && pki --req --type ecdsa --in ${key} --dn CN=${user} --san ${user} --outform pem > ${request}`,
    },
  ];
}
