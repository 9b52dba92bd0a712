import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeMedia } from './fakes'
import { between, PlainGraph, WebAudioGraph } from './graph'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function playing() {
  const [graph, one, other] = [new PlainGraph(), new FakeMedia(), new FakeMedia()]
  const channels = [one, other].map((media) => graph.channel(media as unknown as HTMLMediaElement))
  return { graph, one, other, gain: channels[0]!.gain }
}

it('while one song fades into another they are together as loud as one', () => {
  for (const part of [0, 0.1, 0.5, 0.8, 1]) expect(between(0, 1, part) ** 2 + between(1, 0, part) ** 2).toBeCloseTo(1)
  expect([between(0.2, 0.6, 0), between(0.2, 0.6, 1), between(0.6, 0.2, 1)]).toEqual([0.2, expect.closeTo(0.6), expect.closeTo(0.2)])
})

it('without Web Audio the volume of all goes down in steps', () => {
  const { graph, one, other } = playing()
  graph.volume(0, 8)
  expect(one.volume).toBe(1)
  vi.advanceTimersByTime(4_000)
  expect([one.volume, other.volume]).toEqual([expect.closeTo(Math.SQRT1_2), expect.closeTo(Math.SQRT1_2)])
  vi.advanceTimersByTime(4_000)
  expect([one.volume, other.volume]).toEqual([expect.closeTo(0), expect.closeTo(0)])
  expect(vi.getTimerCount()).toBe(0)
})

it('and at once where no time is given, which ends what was under way', () => {
  const { graph, one } = playing()
  graph.volume(0, 8)
  vi.advanceTimersByTime(1_000)
  graph.volume(0.5, 0)
  expect(one.volume).toBeCloseTo(0.25)
  vi.advanceTimersByTime(8_000)
  expect(one.volume).toBeCloseTo(0.25)
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
  expect([one.volume, other.volume]).toEqual([expect.closeTo(Math.cos(Math.PI / 4) * Math.cos(Math.PI / 8)), expect.closeTo(Math.cos(Math.PI / 8))])
})

/** An audio device that writes down what is wired to what, and how loud. */
class FakeContext {
  static made: FakeContext[] = []
  state = 'suspended'
  currentTime = 0
  readonly destination = this.node('device')
  readonly wires: string[] = []
  readonly gains: { value: number; ramps: [number, number][] }[] = []

  constructor() {
    FakeContext.made.push(this)
  }

  node(name: string) {
    return { name, context: this, connect: (to: { name: string }) => void this.wires.push(`${name}>${to.name}`) }
  }

  createMediaElementSource(media: { src: string }) {
    return this.node(media.src)
  }

  createGain() {
    const gain = {
      value: 1,
      ramps: [] as [number, number][],
      cancelScheduledValues: () => undefined,
      setValueAtTime: () => undefined,
      linearRampToValueAtTime: (value: number, at_s: number) => void gain.ramps.push([value, at_s]),
    }
    this.gains.push(gain)
    return { ...this.node(`gain ${this.gains.length}`), gain }
  }

  async resume(): Promise<void> {
    this.state = 'running'
  }
}

it('Web Audio is made when something is to be heard, as loud as was set before', () => {
  vi.stubGlobal('AudioContext', FakeContext)
  const graph = new WebAudioGraph()
  const channel = graph.channel({ src: 'one' } as HTMLMediaElement)
  channel.gain(0.3, 0)
  graph.volume(0.5, 0)
  expect(FakeContext.made).toHaveLength(0)
  graph.resume()
  graph.resume()
  expect(FakeContext.made).toHaveLength(1)
  const [context] = FakeContext.made
  expect(context!.state).toBe('running')
  expect(context!.wires).toEqual(['gain 1>device', 'one>gain 2', 'gain 2>gain 1'])
  expect(context!.gains.map((gain) => gain.value)).toEqual([0.25, 0.3])
  context!.currentTime = 10
  channel.gain(1, 4)
  graph.volume(0, 0)
  expect(context!.gains.map((gain) => gain.ramps.at(-1))).toEqual([[expect.closeTo(0), 10.02], [1, 14]])
})
