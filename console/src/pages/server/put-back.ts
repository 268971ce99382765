interface InForce {
  readonly kind: string;
  readonly name: string;
  readonly revision: number;
}

interface Head extends InForce {
  readonly deleted: boolean;
  readonly inForceOn: readonly unknown[];
}

/**
 * The document to send again as it is, so that a server plans to be what was confirmed: one that is in force there in its newest revision, for
 * an older one would bring a change of somebody else along; and the one that the fewest other servers share. Null: there is none.
 */
export function documentToSendAgain(inForce: readonly InForce[], heads: readonly Head[]): InForce | null {
  const usable = heads.filter((head) => !head.deleted && inForce.some((one) => sameRevision(one, head)));
  const [first] = usable.toSorted((a, b) => a.inForceOn.length - b.inForceOn.length || (keyOf(a) < keyOf(b) ? -1 : 1));
  return first === undefined ? null : { kind: first.kind, name: first.name, revision: first.revision };
}

function sameRevision(a: InForce, b: InForce): boolean {
  return keyOf(a) === keyOf(b) && a.revision === b.revision;
}

function keyOf({ kind, name }: InForce): string {
  return `${kind}/${name}`;
}
