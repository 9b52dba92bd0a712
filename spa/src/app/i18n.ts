/** The languages. English is always there, others are loaded when they are chosen. */
import { createI18n } from 'vue-i18n'
import { load, keep } from '@/shared/kept'
import listen from './locales/en.json'
import manage from './locales/manage.en.json'

const en = { ...listen, ...manage }

export type Messages = typeof en
export const LANGUAGES = { en: 'English', es: 'Español' } as const
export type Language = keyof typeof LANGUAGES

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as unknown as Record<Language, Messages>,
  missingWarn: false,
  fallbackWarn: false,
})

/** Translates outside of components. */
export const t = i18n.global.t as unknown as {
  (key: string, n: number): string
  (key: string, named?: Record<string, unknown>): string
}

export async function speak(language: Language): Promise<void> {
  if (language === 'es') {
    const [listen, manage] = await Promise.all([import('./locales/es.json'), import('./locales/manage.es.json')])
    i18n.global.setLocaleMessage('es', { ...listen.default, ...manage.default })
  }
  i18n.global.locale.value = language
  document.documentElement.lang = language
  keep('language', language)
}

/** The language chosen here, else the first of the browser's that we have. */
export function preferred(): Language {
  const wished = [load('language', ''), ...navigator.languages.map((name) => name.slice(0, 2))]
  return wished.find((name): name is Language => name in LANGUAGES) ?? 'en'
}
