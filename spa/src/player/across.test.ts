import { expect, it } from 'vitest'
import { around, deviceName } from './across'

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
