import { expect, it } from 'vitest'
import { worst } from './health'

it('is as safe as the least safe song', () => {
  expect(worst([])).toBeNull()
  expect(worst([{ wanted: 3, copies: [1, 2, 3] }, { wanted: 3, copies: [1, 2, 3, 4] }])).toEqual({ least: 3, wanted: 3, whole: true })
  expect(worst([{ wanted: 3, copies: [1, 2, 3] }, { wanted: 3, copies: [1] }])).toEqual({ least: 1, wanted: 3, whole: false })
})
