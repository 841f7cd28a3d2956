import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en } from './en';
import { es } from './es';

/** The name of something that is said. */
export type Key = keyof typeof en;
export type Language = 'en' | 'es';

const CATALOGUES: Record<Language, Record<Key, string>> = { en, es };
const NAME = 'millrace.language';

type Parts = Record<string, string | number>;
type Said = { language: Language; setLanguage: (language: Language) => void };

const Context = createContext<Said>({ language: 'en', setLanguage: () => {} });

/** What a key says in a language, with its parts put in. A key that is missing says itself. */
export function say(language: Language, key: Key, parts: Parts = {}): string {
  const text: string = CATALOGUES[language][key] ?? key.slice(key.indexOf('.') + 1).replaceAll('_', ' ');
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const part = parts[name];
    return typeof part === 'number' ? part.toLocaleString(language) : (part ?? whole);
  });
}

function first(): Language {
  const kept = localStorage.getItem(NAME);
  if (kept === 'en' || kept === 'es') return kept;
  return navigator.language.startsWith('es') ? 'es' : 'en';
}

/** Gives everything below the reader's language, which this browser remembers. */
export function Speaking({ children }: { children: ReactNode }) {
  const [language, set] = useState<Language>(first);
  useEffect(() => void (document.documentElement.lang = language), [language]);
  const said = useMemo(() => {
    const setLanguage = (next: Language) => {
      localStorage.setItem(NAME, next);
      set(next);
    };
    return { language, setLanguage };
  }, [language]);
  return <Context value={said}>{children}</Context>;
}

/** The language, and how it is changed. */
export const useLanguage = () => use(Context);

/** Says a key in the reader's language. */
export function useT() {
  const { language } = use(Context);
  return useMemo(() => (key: Key, parts?: Parts) => say(language, key, parts), [language]);
}
