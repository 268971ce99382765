import { type PointerEvent as ReactPointerEvent, type RefObject, useEffect, useRef, useState } from "react";

/** A rule that is being dragged, and where it would go. */
export interface Drag {
  readonly id: number;
  readonly over: { readonly id: number; readonly below: boolean } | null;
}

/** Pixels from the edge of the frame within which it scrolls, and how far in each frame of the screen. */
const EDGE = 40;
const STEP = 14;

/**
 * By pointer events that the frame captures: the dragged row may leave the screen, and with it the page, while the list scrolls. Escape
 * puts it back. Whoever has no pointer has the keys, the arrows and the number of the place.
 */
export function useRuleDrag(
  frame: RefObject<HTMLElement | null>,
  onDrop: (id: number, over: number, below: boolean) => void,
): { readonly drag: Drag | null; readonly begin: (event: ReactPointerEvent, id: number) => void } {
  const [drag, setDrag] = useState<Drag | null>(null);
  const end = useRef<(() => void) | null>(null);
  useEffect(() => () => end.current?.(), []);

  const begin = (event: ReactPointerEvent, id: number): void => {
    const element = frame.current;
    if (element === null || event.button !== 0) return;
    event.preventDefault();
    let over: Drag["over"] = null;
    let at = { x: event.clientX, y: event.clientY };
    const list = rowAt(at.x, at.y)?.dataset["list"];
    const look = (): void => {
      const row = rowAt(at.x, at.y);
      if (row === null || row.dataset["list"] !== list || !element.contains(row)) over = null;
      else {
        const { top, height } = row.getBoundingClientRect();
        over = { id: Number(row.dataset["rule"]), below: at.y > top + height / 2 };
      }
      setDrag({ id, over });
    };
    const move = (next: PointerEvent): void => {
      at = { x: next.clientX, y: next.clientY };
      look();
    };
    let timer = requestAnimationFrame(function scroll() {
      const { top, bottom } = element.getBoundingClientRect();
      const step = at.y < top + EDGE ? -STEP : at.y > bottom - EDGE ? STEP : 0;
      const before = element.scrollTop;
      element.scrollTop += step;
      if (element.scrollTop !== before) look();
      timer = requestAnimationFrame(scroll);
    });
    const stop = (): void => {
      cancelAnimationFrame(timer);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", drop);
      element.removeEventListener("pointercancel", stop);
      window.removeEventListener("keydown", escape);
      end.current = null;
      setDrag(null);
    };
    const drop = (): void => {
      stop();
      if (over !== null && over.id !== id) onDrop(id, over.id, over.below);
    };
    const escape = (key: KeyboardEvent): void => {
      if (key.key === "Escape") stop();
    };
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", drop);
    element.addEventListener("pointercancel", stop);
    window.addEventListener("keydown", escape);
    end.current = stop;
    setDrag({ id, over: null });
  };
  return { drag, begin };
}

function rowAt(x: number, y: number): HTMLElement | null {
  return document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-rule]") ?? null;
}
