import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeMedia } from './fakes'
import { PlainGraph } from './graph'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function playing() {
  const [graph, one, other] = [new PlainGraph(), new FakeMedia(), new FakeMedia()]
  const channels = [one, other].map((media) => graph.channel(media as unknown as HTMLMediaElement))
  return { graph, one, other, gain: channels[0]!.gain }
}

it('without Web Audio the volume of all goes down in steps', () => {
  const { graph, one, other } = playing()
  graph.volume(0, 8)
  expect(one.volume).toBe(1)
  vi.advanceTimersByTime(4_000)
  expect([one.volume, other.volume]).toEqual([expect.closeTo(0.5), expect.closeTo(0.5)])
  vi.advanceTimersByTime(4_000)
  expect([one.volume, other.volume]).toEqual([0, 0])
  expect(vi.getTimerCount()).toBe(0)
})

it('and at once where no time is given, which ends what was under way', () => {
  const { graph, one } = playing()
  graph.volume(0, 8)
  vi.advanceTimersByTime(1_000)
  graph.volume(0.5, 0)
  expect(one.volume).toBe(0.25)
  vi.advanceTimersByTime(8_000)
  expect(one.volume).toBe(0.25)
  graph.volume(0, 8)
  vi.advanceTimersByTime(1_000)
  graph.volume(1, 2)
  vi.advanceTimersByTime(8_000)
  expect([one.volume, vi.getTimerCount()]).toEqual([1, 0])
})

it('and a fade of one song goes by its own clock', () => {
  const { graph, one, other, gain } = playing()
  gain(0, 2)
  graph.volume(0, 4)
  vi.advanceTimersByTime(1_000)
  expect([one.volume, other.volume]).toEqual([expect.closeTo(0.375), expect.closeTo(0.75)])
})
