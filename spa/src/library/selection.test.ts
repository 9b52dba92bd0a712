import { expect, it } from 'vitest'
import { arranged, chosen, withHeld } from './selection'

const keys = [...'abcdef']
const plain = { toggle: false, range: false }
const picked = (set: Set<string>): string => [...set].sort().join('')

it('selects one, more, a range, and takes out again', () => {
  expect(picked(chosen(new Set('ab'), keys, 3, 0, plain))).toBe('d')
  expect(picked(chosen(new Set('ab'), keys, 3, 0, { toggle: true, range: false }))).toBe('abd')
  expect(picked(chosen(new Set('ab'), keys, 1, 0, { toggle: true, range: false }))).toBe('a')
  expect(picked(chosen(new Set('f'), keys, 1, 3, { toggle: false, range: true }))).toBe('bcd')
  expect(picked(chosen(new Set('f'), keys, 3, 1, { toggle: true, range: true }))).toBe('bcdf')
  expect(picked(chosen(new Set('ab'), keys, 9, 0, plain))).toBe('')
})

it('moves rows before another, which they may span, to either end, and nowhere', () => {
  expect(arranged(keys, new Set('b'), 4)).toEqual({ keys: [...'acdbef'], after: 'd' })
  expect(arranged(keys, new Set('e'), 0)).toEqual({ keys: [...'eabcdf'], after: '' })
  expect(arranged(keys, new Set('ad'), 6)).toEqual({ keys: [...'bcefad'], after: 'f' })
  expect(arranged(keys, new Set('bd'), 3)).toEqual({ keys: [...'acbdef'], after: 'c' })
  expect(arranged(keys, new Set('c'), 2).keys).toEqual(keys)
  expect(arranged(keys, new Set('a'), -3).keys).toEqual(keys)
})

it('keeps the row that has the focus in the document, in its place', () => {
  expect(withHeld([4, 5, 6], 1, 9)).toEqual([1, 4, 5, 6])
  expect(withHeld([4, 5, 6], 8, 9)).toEqual([4, 5, 6, 8])
  expect([withHeld([4, 5], 5, 9), withHeld([4, 5], null, 9), withHeld([4, 5], 9, 9)]).toEqual([[4, 5], [4, 5], [4, 5]])
})
