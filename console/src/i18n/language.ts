import i18next, { type TFunction } from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { en } from "./en.ts";
import { ko } from "./ko.ts";

export const LANGUAGES = ["en", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];

const TEXTS = { en, ko } as const satisfies Record<Language, Record<keyof typeof en, string>>;

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
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: TEXTS.en }, ko: { translation: TEXTS.ko } },
    // Keys have dots of their own, and React escapes.
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORAGE_KEY, language);
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
