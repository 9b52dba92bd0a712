import { expect, it } from 'vitest'
import { fitting } from './play'

it('takes the first of a list too long for the queue, or some of all by chance, in their order', () => {
  const songs = [...Array(100).keys()]
  expect(fitting(songs, false, 3)).toEqual([0, 1, 2])
  expect(fitting(songs, true, 200)).toEqual(songs)
  expect(fitting(songs, true, 3, () => 0)).toEqual([0, 1, 2])
  expect(fitting(songs, true, 3, () => 0.999)).toEqual([97, 98, 99])
  let n = 0
  expect(fitting(songs, true, 3, () => [0.5, 0.02, 0.9][n++ % 3] ?? 0)).toHaveLength(3)
})
