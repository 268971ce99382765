import i18next, { type TFunction } from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { en } from "./en.ts";
import type { ko } from "./ko.ts";

export const LANGUAGES = ["en", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];

type Texts = Readonly<Record<keyof typeof en, string>>;

/** English is there at once, because it stands in for whatever cannot be fetched; any other is fetched when it is read. */
const TEXTS = {
  en: async (): Promise<Texts> => en,
  ko: async (): Promise<typeof ko> => (await import("./ko.ts")).ko,
} as const satisfies Record<Language, () => Promise<Texts>>;

/** A key without the plural ending that i18next adds. */
type Base<Key extends string> = Key extends `${infer Stem}_one` | `${infer Stem}_other` ? Stem : Key;
export type MessageKey = Base<keyof typeof en>;
export type Values = Readonly<Record<string, string | number>>;
export type Translate = (key: MessageKey, values?: Values) => string;

const STORAGE_KEY = "holdfast.language";

function chosenLanguage(): Language {
  const kept = localStorage.getItem(STORAGE_KEY);
  const wanted = kept === null ? navigator.languages : [kept];
  for (const tag of wanted) {
    const found = LANGUAGES.find((language) => tag.toLowerCase().startsWith(language));
    if (found !== undefined) return found;
  }
  return "en";
}

export async function startLanguage(): Promise<void> {
  const language = chosenLanguage();
  document.documentElement.lang = language;
  const texts = await TEXTS[language]();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: en }, [language]: { translation: texts } },
    // Keys have dots of their own, and React escapes.
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORAGE_KEY, language);
  i18next.addResourceBundle(language, "translation", await TEXTS[language]());
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

function typed(t: TFunction): Translate {
  return (key, values) => t(key, { ...values });
}

export function useT(): Translate {
  return typed(useTranslation().t);
}

export function useLanguage(): Language {
  const { i18n } = useTranslation();
  return LANGUAGES.find((language) => language === i18n.language) ?? "en";
}
