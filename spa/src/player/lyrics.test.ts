import { expect, it } from 'vitest'
import { lineAt } from './lyrics'

it('finds the line that is sung', () => {
  const lines = [1000, 4000, 4000, 9000].map((at_ms) => ({ at_ms, text: '' }))
  expect([0, 0.99, 1, 3.9, 4, 8, 9, 1e6].map((at_s) => lineAt(lines, at_s))).toEqual([-1, -1, 0, 0, 2, 2, 3, 3])
  expect(lineAt([], 5)).toBe(-1)
})
