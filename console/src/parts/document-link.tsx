import type { ReactNode } from "react";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";

/** `Policy/web-host` is a link; anything else (the floor's own words, a default) is text. */
export function DocumentLink({
  document,
  line,
}: {
  readonly document: string;
  readonly line?: number | undefined;
}): ReactNode {
  const [kind, name] = document.split("/", 2);
  if (kind === undefined || name === undefined) return document;
  return (
    <AppLink
      to={
        line === undefined
          ? paths.document(kind, name)
          : paths.editDocument(kind, name, { view: "text", line: String(line) })
      }
    >
      {document}
    </AppLink>
  );
}
