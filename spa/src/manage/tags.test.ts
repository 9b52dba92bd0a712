import { expect, it } from 'vitest'
import { changed, common } from './tags'

const song = (more: object): Parameters<typeof common>[0][number] =>
  ({ title: 'A', artist: 'X', artists: ['X'], album: '', albumartist: '', track: 0, tracks: 0, disc: 0, discs: 0, date: '',
    genres: [], composers: [], comment: '', compilation: false, ...more }) as never // prettier-ignore

it('shows what songs have in common, and that they differ', () => {
  const form = common([song({ genres: ['Jazz', 'Hard bop'] }), song({ title: 'B', genres: ['Jazz', 'Hard bop'] })])
  expect(form.title).toBeNull()
  expect(form.artist).toBe('X')
  expect(form.genres).toBe('Jazz\nHard bop')
  expect(form.track).toBe('')
})

it('sends only what was changed', () => {
  const before = common([song({ track: 3 }), song({ title: 'B', track: 3 })])
  expect(changed(before, { ...before })).toEqual({})
  expect(changed(before, { ...before, artist: ' X ' })).toEqual({})
  expect(changed(before, { ...before, title: '', track: '', genres: ' Jazz \n\n' })).toEqual({ title: '', track: 0, genres: ['Jazz'] })
  expect(changed(before, { ...before, track: '4' })).toEqual({ track: 4 })
})
