import { expect, it } from 'vitest'
import { narrowed } from './filters'

it('takes from an address what the API knows, and leaves away what makes no sense', () => {
  expect(narrowed({ q: ' abba ', genre: 'Jazz', year_from: '1960', year_to: '1969', theme: 'x' })).toEqual({
    q: 'abba', genre: 'Jazz', year_from: 1960, year_to: 1969,
  }) // prettier-ignore
  expect(narrowed({ q: '', genre: ['a', 'b'], year_from: 'x', year_to: '-3' })).toEqual({})
})
