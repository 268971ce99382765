import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from "react";
import { usePlace } from "../app/place.ts";

interface Props extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  /** From paths.ts. */
  readonly to: string;
  readonly children: ReactNode;
}

/** A plain link that stays inside the page: new tabs, middle clicks and copying work as everywhere. */
export function AppLink({ to, children, onClick, ...rest }: Props): ReactNode {
  const place = usePlace();
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    place.go(to);
  };
  return (
    <a {...rest} href={to} onClick={follow}>
      {children}
    </a>
  );
}
