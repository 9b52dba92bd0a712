import { expect, it } from 'vitest'
import { WORDED } from '@/shared/problem'
import listenEn from './locales/en.json'
import listenEs from './locales/es.json'
import manageEn from './locales/manage.en.json'
import manageEs from './locales/manage.es.json'

const en = { ...listenEn, ...manageEn }
const es = { ...listenEs, ...manageEs }

interface Tree {
  [key: string]: string | Tree
}
const flat = (tree: Tree, at = ''): Record<string, string> =>
  Object.assign({}, ...Object.entries(tree).map(([key, value]) =>
    typeof value === 'string' ? { [at + key]: value } : flat(value, `${at}${key}.`)))

it('says everything in every language, with the same parts', () => {
  const parts = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
  const [mine, theirs] = [flat(en), flat(es)]
  expect(Object.keys(theirs).sort()).toEqual(Object.keys(mine).sort())
  for (const [key, text] of Object.entries(mine)) {
    expect(parts(theirs[key]!), key).toEqual(parts(text))
    expect(theirs[key]!.split(' | ').length, key).toBe(text.split(' | ').length)
  }
})

it('has words for every problem it says it has', () => expect(Object.keys(en.problem).sort()).toEqual([...WORDED].sort()))

it('has every message that is asked for', () => {
  const sources = import.meta.glob(['/src/**/*.vue', '/src/**/*.ts', '!**/*.test.ts'], { query: '?raw', import: 'default', eager: true })
  const known = flat(en)
  const keys = Object.values(sources as Record<string, string>).flatMap((text) =>
    [...text.matchAll(/\bt\(\s*'([\w.-]+)'|title: '([a-z]+\.[a-z]+)'/g)].map((match) => match[1] ?? match[2] ?? ''))
  expect(keys.length).toBeGreaterThan(60)
  expect(keys.filter((key) => !(key in known))).toEqual([])
})
