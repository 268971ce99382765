import { err, ok, type Result } from "../base/result.ts";
import type { TunnelDocument } from "./document.ts";
import type { Edit } from "./edit-data.ts";
import { editDocument } from "./edit.ts";
import type { Path } from "./path.ts";
import type { TunnelPerson } from "./tunnel-people.ts";

/** Where a certificate of a person belongs: the server that they call, their end, and the person if they are there already. */
export interface PersonPlace {
  readonly server: string;
  readonly path: Path;
  readonly known: TunnelPerson | null;
}

/** Words: why nobody of this tunnel can have one. */
export function personPlace(
  { name, body: { ends, key } }: Pick<TunnelDocument, "name" | "body">,
  person: string,
): Result<PersonPlace, string> {
  const people = ends.find((end) => end.kind === "people");
  const server = ends.find((end) => end.kind === "managed");
  if (people === undefined || server === undefined) return err(`no end of ${name} is people`);
  if (key.from !== "certificate")
    return err(
      `the server of ${name} has no certificate to be shown to people; write auth: { certificate: generated }`,
    );
  const known = people.people.find((one) => one.name === person) ?? null;
  return ok({ server: server.server, path: ["ends", people.name, "people", person], known });
}

/** The text of the tunnel in which this person may not come in any more, or, without a reason, may again. */
export function withRevoked(
  text: string,
  { name, body: { ends } }: Pick<TunnelDocument, "name" | "body">,
  person: string,
  reason: string | null,
): Result<string, string> {
  const people = ends.find((end) => end.kind === "people");
  if (people === undefined) return err(`no end of ${name} is people`);
  const path = ["ends", people.name, "people", person, "revoked"];
  return editDocument(text, reason === null ? { kind: "remove", path } : { kind: "set", path, value: reason });
}

/** The text of the tunnel with this certificate beside the person, in place of what let them in before. */
export function withCertificate(
  text: string,
  { path, known }: PersonPlace,
  { identity, pem }: { readonly identity: string; readonly pem: string },
): Result<string, string> {
  const before = known?.proof?.by;
  const edits: readonly Edit[] =
    known === null
      ? [{ kind: "set", path, value: { identity, certificate: pem } }]
      : [
          ...(before === undefined || before === "certificate"
            ? []
            : [{ kind: "remove", path: [...path, before] } as const]),
          { kind: "set", path: [...path, "identity"], value: identity },
          { kind: "set", path: [...path, "certificate"], value: pem },
        ];
  return edits.reduce<Result<string, string>>(
    (done, edit) => (done.ok ? editDocument(done.value, edit) : done),
    ok(text),
  );
}
