import { useEffect, useState } from "react";

export interface Sidebar {
  readonly isOpen: boolean;
  readonly toggle: () => void;
  /** A page was chosen in it. */
  readonly chosen: () => void;
  readonly resized: (event: unknown, size: { readonly mobileView: boolean }) => void;
}

/**
 * Beside the page where there is room. Where there is none it lies over the page: closed at first, and closed again by what was chosen in it,
 * or by a touch of the page.
 */
export function useSidebar(pageId: string): Sidebar {
  const [isNarrow, setNarrow] = useState(false);
  const [isOpen, setOpen] = useState(true);
  useEffect(() => {
    if (!isNarrow || !isOpen) return undefined;
    const close = ({ target }: PointerEvent): void => {
      if (target instanceof Element && target.closest(`#${pageId}`) !== null) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [isNarrow, isOpen, pageId]);
  return {
    isOpen,
    toggle: () => setOpen(!isOpen),
    chosen: () => {
      if (isNarrow) setOpen(false);
    },
    resized: (_event, { mobileView }) => {
      if (mobileView === isNarrow) return;
      setNarrow(mobileView);
      setOpen(!mobileView);
    },
  };
}
