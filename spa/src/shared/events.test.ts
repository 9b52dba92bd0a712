import { afterEach, expect, it, vi } from 'vitest'
import { Reader, watchNews } from './events'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('gives events when they are whole, however they are cut', () => {
  const text = ': hello\n\nid: 3f-1\nevent: node\ndata: {"name": "attic",\ndata: "state": "up"}\n\nevent: repair\ndata: {"todo": 2}\n\nevent: x\ndata: {'
  for (let cut = 1; cut < text.length; cut++) {
    const reader = new Reader()
    const news = [...reader.take(text.slice(0, cut)), ...reader.take(text.slice(cut))]
    expect(news).toEqual([
      { event: 'node', id: '3f-1', data: { name: 'attic', state: 'up' } },
      { event: 'repair', id: '', data: { todo: 2 } },
    ])
  }
})

it('leaves out what is no event', () => {
  expect(new Reader().take('event: x\ndata: {no json\n\ndata: {}\n\n')).toEqual([])
})

it('leaves nothing at its signal, however often it comes again, and ends with it', async () => {
  vi.useFakeTimers()
  let tries = 0
  vi.stubGlobal('fetch', async (url: string) => {
    if (url.endsWith('/events')) tries += 1
    throw new TypeError('gone')
  })
  const end = new AbortController()
  const [added, removed] = [vi.spyOn(end.signal, 'addEventListener'), vi.spyOn(end.signal, 'removeEventListener')]
  const left = (): number => added.mock.calls.length - removed.mock.calls.length
  const watching = watchNews(() => undefined, end.signal)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(tries).toBeGreaterThan(9)
  expect(left()).toBe(1)
  end.abort()
  await watching
  expect([left(), vi.getTimerCount()]).toEqual([0, 0])
})
