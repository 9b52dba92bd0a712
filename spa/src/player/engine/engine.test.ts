import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Track } from './deck'
import { Engine, type Listener } from './engine'
import { FakeGraph, FakeMedia } from './fakes'

const A: Track = { uid: 1, id: 'a', duration_s: 100 }
const B: Track = { uid: 2, id: 'b', duration_s: 60 }
const NODES = ['http://one', 'http://two', 'http://three']

let media: FakeMedia[]
let graph: FakeGraph
let engine: Engine
let said: string[]
let dead: Set<string>

beforeEach(() => {
  vi.useFakeTimers()
  media = []
  graph = new FakeGraph()
  said = []
  dead = new Set()
  const listener: Listener = {
    state: (state) => said.push(state),
    time: () => undefined,
    advanced: (track) => said.push(`advanced ${track.id}`),
    ended: () => said.push('ended'),
    switched: (from, to) => said.push(`${from} -> ${to}`),
    failed: (track, code, wanted) => said.push(`failed ${track.id} ${code}${wanted ? '' : ' unwanted'}`),
    suspect: (url) => said.push(`suspect ${url}`),
    refused: () => said.push('refused'),
  }
  engine = new Engine({
    media: () => {
      const made = new FakeMedia()
      media.push(made)
      return made as unknown as HTMLAudioElement
    },
    graph,
    source: (track, tried) =>
      NODES.map((node) => `${node}/${track.id}`).find((url) => !tried.includes(url) && !dead.has(url)) ?? null,
    listener,
  })
})

afterEach(() => {
  engine.close()
  vi.useRealTimers()
})

const first = (): FakeMedia => media[0]!
const second = (): FakeMedia => media[1]!

describe('one song', () => {
  it('loads, plays, pauses', () => {
    engine.load(A, true)
    expect(first().src).toBe('http://one/a')
    expect(engine.state).toBe('loading')
    first().opens(101)
    expect(engine.state).toBe('playing')
    engine.pause()
    expect([engine.state, first().paused]).toEqual(['paused', true])
    engine.play()
    expect(said).toEqual(['loading', 'playing', 'paused', 'playing'])
    expect(graph.resumed).toBeGreaterThan(0)
  })

  it('begins where it is told, also if it is told before the file is open', () => {
    engine.load(A, false, 42)
    expect(engine.position_s).toBe(42)
    first().opens(100)
    expect(first().currentTime).toBe(42)
    engine.seek(1000)
    expect(first().currentTime).toBe(100)
  })

  it('ends', () => {
    engine.load(A, true)
    first().opens(100)
    first().ends()
    expect(said.slice(-2)).toEqual(['paused', 'ended'])
  })

  it('says when the browser wants a click', async () => {
    first().refuse = true
    engine.load(A, true)
    await vi.advanceTimersByTimeAsync(0)
    expect(said).toContain('refused')
    expect(engine.state).toBe('paused')
  })

  it('is levelled by its gain, never over its peak', () => {
    engine.level('track')
    engine.load({ ...A, track_gain_db: -6, track_peak: 1 }, true)
    expect(graph.gains.get(first())?.at(-1)).toBeCloseTo(0.501, 3)
    engine.load({ ...B, track_gain_db: 6, track_peak: 0.8 }, true)
    expect(graph.gains.get(first())?.at(-1)).toBeCloseTo(1.25, 3)
  })
})

describe('from one song to the next', () => {
  beforeEach(() => {
    engine.load(A, true)
    first().opens(100)
    engine.follow(B)
  })

  it('opens the next one half a minute before the end, not earlier', () => {
    first().plays(60)
    expect(second().src).toBe('')
    first().plays(71)
    expect(second().src).toBe('http://one/b')
    expect(second().paused).toBe(true)
  })

  it('starts it just before the end', () => {
    first().plays(99.2)
    second().opens(60)
    first().plays(99.5)
    vi.advanceTimersByTime(440)
    expect(said).not.toContain('advanced b')
    vi.advanceTimersByTime(40)
    expect(said).toContain('advanced b')
    expect([engine.track?.id, second().paused]).toEqual(['b', false])
    vi.advanceTimersByTime(1000)
    expect(first().src).toBe('')
  })

  it('goes on at the end if the clock was late', () => {
    first().plays(80)
    first().ends()
    expect(said).toContain('advanced b')
    expect([engine.track?.id, second().src, second().paused]).toEqual(['b', 'http://one/b', false])
    expect(said).not.toContain('ended')
  })

  it('cross-fades, but not songs that are too short', () => {
    engine.crossfade_s = 6
    first().plays(80)
    second().opens(60)
    first().plays(93.5)
    vi.advanceTimersByTime(500)
    expect(engine.track?.id).toBe('b')
    expect(graph.gains.get(first())?.at(-1)).toBe(0)
    expect(graph.gains.get(second())?.slice(-2)).toEqual([0, 1])
    engine.follow({ ...A, uid: 3, id: 'c' }) // as the queue does at once
    expect([first().src, first().paused]).toEqual(['http://one/a', false])
    vi.advanceTimersByTime(6500)
    expect(first().paused).toBe(true)
  })

  it('lets the last samples be heard before the one after a short song is opened', () => {
    first().plays(99.9)
    second().opens(20)
    vi.advanceTimersByTime(100)
    expect(said).toContain('advanced b')
    engine.follow({ ...A, uid: 3, id: 'c' })
    expect(first().src).toBe('http://one/a')
    first().pause()
    second().plays(0.5)
    expect(first().src).toBe('http://one/c')
  })

  it('does not ask on and on for a next song that no node gives', () => {
    first().plays(80)
    for (let n = 0; n < 3; n++) second().fails(4)
    first().plays(80.5)
    expect([second().src, second().error?.code]).toEqual(['http://three/b', 4])
    first().ends()
    expect([engine.track?.id, second().src]).toEqual(['b', 'http://one/b'])
  })

  it('drops what it has opened when something else is to follow', () => {
    first().plays(80)
    engine.follow({ ...B, uid: 3, id: 'c' })
    expect(second().src).toBe('http://one/c')
    engine.follow(null)
    expect(second().src).toBe('')
  })

  it('uses what it has opened when somebody asks for the next song early', () => {
    first().plays(80)
    second().opens(60)
    engine.load(B, true)
    expect([engine.state, first().src, second().paused]).toEqual(['playing', '', false])
  })
})

describe('when a node dies', () => {
  beforeEach(() => {
    engine.load(A, true)
    first().opens(100)
    first().plays(33)
  })

  it('goes on at the same second from the next node', () => {
    first().fails(2)
    expect(said.at(-1)).toBe('http://one/a -> http://two/a')
    expect([first().src, first().paused, engine.position_s]).toEqual(['http://two/a', false, 33])
    first().opens(100)
    expect(first().currentTime).toBe(33)
    expect(engine.state).toBe('playing')
  })

  it('does so too when nothing is said but no bytes come', () => {
    first().starves()
    vi.advanceTimersByTime(2_000)
    expect(said.at(-1)).toBe('suspect http://one/a')
    vi.advanceTimersByTime(2_500)
    expect(first().src).toBe('http://one/a')
    vi.advanceTimersByTime(1_500)
    expect(first().src).toBe('http://two/a')
  })

  it('waits as long as bytes come, however slowly', () => {
    first().starves()
    for (let s = 0; s < 20; s++) {
      vi.advanceTimersByTime(1_000)
      first().dispatchEvent(new Event('progress'))
    }
    expect(first().src).toBe('http://one/a')
  })

  it('is taken over by the spare deck before the bytes run out', () => {
    engine.leave('http://one')
    expect([first().src, first().paused, second().src]).toEqual(['http://one/a', false, 'http://two/a'])
    first().plays(33.4)
    second().opens(100)
    expect(second().currentTime).toBeCloseTo(33.5)
    second().dispatchEvent(new Event('seeked'))
    expect(said.at(-1)).toBe('http://one/a -> http://two/a')
    expect([first().src, second().paused, engine.state]).toEqual(['', false, 'playing'])
    second().fails(2)
    expect(second().src).toBe('http://three/a')
  })

  it('is left in peace when another node died, or all bytes are there', () => {
    engine.leave('http://two')
    first().has(100)
    engine.leave('http://one')
    expect([first().src, second().src]).toEqual(['http://one/a', ''])
  })

  it('goes to a third node when the second is dead too', () => {
    engine.leave('http://one')
    second().fails(4)
    expect(second().src).toBe('http://three/a')
    second().opens(100)
    expect(engine.position_s).toBe(33)
    expect(said.at(-1)).toBe('http://one/a -> http://three/a')
  })

  it('leaves a dead node at once when it has nothing to play', () => {
    first().starves()
    engine.leave('http://one')
    expect(first().src).toBe('http://two/a')
  })

  it('waits for ever while it is paused', () => {
    engine.pause()
    first().starves()
    vi.advanceTimersByTime(60_000)
    expect(first().src).toBe('http://one/a')
  })

  it('says so when no node is left, and may try all again', () => {
    first().fails(2)
    first().fails(4)
    first().fails(4)
    expect(said.at(-1)).toBe('failed a 4')
    expect(engine.state).toBe('paused')
    engine.load(A, true, 33)
    expect(first().src).toBe('http://one/a')
    first().opens(100)
    expect(first().currentTime).toBe(33)
  })

  it('opens it anew when one presses play, also if it broke off in silence', () => {
    first().starves()
    vi.advanceTimersByTime(20_000)
    expect(said.at(-1)).toBe('failed a 0')
    engine.play()
    expect([first().src, engine.position_s, engine.state]).toEqual(['http://one/a', 33, 'loading'])
  })

  it('tells a song that was to play from one that was only opened', () => {
    engine.load(B, false)
    for (let n = 0; n < 3; n++) first().fails(4)
    expect(said.at(-1)).toBe('failed b 4 unwanted')
  })

  it('asks a node again that failed before, once another has played', () => {
    first().fails(2)
    first().opens(100)
    first().plays(34)
    vi.advanceTimersByTime(500)
    first().fails(2)
    expect(first().src).toBe('http://one/a')
  })

  it('opens the next song elsewhere without a word', () => {
    engine.follow(B)
    first().plays(80)
    second().fails(4)
    expect(second().src).toBe('http://two/b')
    expect(said.join()).not.toContain('->')
  })
})
