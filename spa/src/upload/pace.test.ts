import { expect, it } from 'vitest'
import { Pace } from './pace'

it('tells the speed of the last seconds and what is left', () => {
  const pace = new Pace()
  expect(pace.left_s(1)).toBeNull()
  for (let s = 0; s <= 20; s++) pace.note(s < 10 ? s * 1_000 : 10_000 + (s - 10) * 3_000, s * 1000)
  expect(pace.bytes_per_s).toBeCloseTo(3_000)
  expect(pace.left_s(6_000)).toBeCloseTo(2)
})

it('begins anew when fewer bytes are there than before', () => {
  const pace = new Pace()
  pace.note(0, 0)
  pace.note(50_000, 1000)
  pace.note(0, 2000)
  expect(pace.bytes_per_s).toBe(0)
  pace.note(2_000, 3000)
  expect(pace.bytes_per_s).toBeCloseTo(2_000)
})
