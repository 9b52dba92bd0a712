import { afterEach, expect, it, vi } from 'vitest'
import { around, deviceName, opened } from './across'

afterEach(() => vi.unstubAllGlobals())

it('sends what lies around the present song', () => {
  const songs = [...'abcdefgh']
  expect(around(songs, 5, { before: 2, all: 4 })).toEqual({ items: [...'defg'], index: 2 })
  expect(around(songs, 0, { before: 2, all: 4 })).toEqual({ items: [...'abcd'], index: 0 })
  expect(around(songs, -1, { before: 2, all: 4 })).toEqual({ items: [...'abcd'], index: 0 })
})

it('names devices so that people know them apart', () => {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'
  expect(deviceName(agent, 'x1')).toBe('Chrome · Linux · x1')
  expect(deviceName('Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0', '')).toBe('Firefox · Android')
})

it('takes a queue over whole, without what was deleted, at the place where it was', async () => {
  const ids = [...Array(2000).keys()].map((n) => `${n}`.padStart(64, '0'))
  const gone = new Set([ids[3], ids[1500]])
  const queue = [...ids.slice(0, 1999), ids[0]!] // that one twice
  vi.stubGlobal('fetch', async (url: string) => {
    expect(url.length).toBeLessThan(8_000)
    const asked = (new URL(url).searchParams.get('ids') ?? '').split(',')
    return Response.json({ items: asked.filter((id) => !gone.has(id)).map((id) => ({ id })), next_cursor: null, total: 0 })
  })
  const found = await opened({ songs: queue, index: 1999 })
  expect([found?.songs.length, found?.at, found?.songs[1997]?.id]).toEqual([1998, 1997, ids[0]])
  expect(await opened({ songs: queue, index: 3 })).toBeNull()
})
