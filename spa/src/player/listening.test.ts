import { expect, it } from 'vitest'
import { Listening } from './listening'

/** Seconds at which it counted, of those listened to. */
function counted(duration_s: number, ...parts: [from: number, to: number][]): number[] {
  const listening = new Listening()
  const found: number[] = []
  listening.begin(0)
  for (const [from, to] of parts)
    for (let s = from; s <= to; s += 0.25) if (listening.heard(s, duration_s)) found.push(s)
  return found
}

it('counts once, at half of the song', () => expect(counted(100, [0, 100])).toEqual([50]))
it('counts a long song after four minutes', () => expect(counted(3600, [0, 1000])).toEqual([240]))
it('does not count what was jumped over', () => {
  expect(counted(100, [0, 20], [70, 95])).toEqual([])
  expect(counted(100, [0, 20], [60, 100])).toEqual([90])
})
it('counts what is heard twice', () => expect(counted(100, [0, 30], [0, 30])).toHaveLength(1))
