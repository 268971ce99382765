import { useLocation } from "@tanstack/react-router";
import { useCallback } from "react";
import { usePlace } from "./place.ts";

/** State that lives in the address, so that it can be sent to a colleague. Replaces, so that Back leaves the page. */
export function useSearchState(key: string): readonly [string, (value: string) => void] {
  const place = usePlace();
  const searchStr = useLocation({ select: (location) => location.searchStr });
  const value = new URLSearchParams(searchStr).get(key) ?? "";
  const set = useCallback(
    (next: string): void => {
      const [pathname = "", now = ""] = place.here().split("?", 2);
      const search = new URLSearchParams(now);
      if (next === "") search.delete(key);
      else search.set(key, next);
      const text = search.toString();
      place.replace(text === "" ? pathname : `${pathname}?${text}`);
    },
    [key, place],
  );
  return [value, set];
}

/** As one of a list of words, with the first as the default. */
export function useSearchChoice<Choice extends string>(
  key: string,
  choices: readonly [Choice, ...Choice[]],
): readonly [Choice, (value: Choice) => void] {
  const [value, set] = useSearchState(key);
  return [choices.find((choice) => choice === value) ?? choices[0], set];
}
