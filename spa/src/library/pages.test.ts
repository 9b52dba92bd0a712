import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { CHANGED } from '@/shared/queries'
import { Pages, usePages, type Page } from './pages'

const SIZE = 10
let library: number[]
let asked: (number | undefined)[]
let scope: EffectScope

const thing = (n: number) => ({ id: `${n}` })
const ids = (items: readonly { id: string }[]): number[] => items.map(({ id }) => Number(id))
const upTo = (n: number): number[] => [...Array(n).keys()]
/** As the API has it: a cursor says behind what a page begins. */
function page(cursor: string | undefined, size = SIZE): Page<{ id: string }> {
  const rest = library.filter((n) => cursor === undefined || n > Number(cursor))
  const items = rest.slice(0, size).map(thing)
  return { items, next_cursor: rest.length > size ? (items.at(-1)?.id ?? null) : null, total: library.length }
}
/** A list that is scrolled through, down to the index. */
async function scrolled(to: number) {
  const list = scope.run(() => usePages('', async (_, cursor) => (asked.push(cursor === undefined ? undefined : Number(cursor)), page(cursor))))!
  for (let at = 0; at <= to; at += SIZE) {
    list.reach(at, at + SIZE - 1)
    await flushPromises()
  }
  asked = []
  return list
}
async function change(...now: number[]): Promise<void> {
  library = now.sort((a, b) => a - b)
  dispatchEvent(new Event(CHANGED))
  await flushPromises()
}

beforeEach(() => {
  library = upTo(1000)
  asked = []
  scope = effectScope()
})
afterEach(() => scope.stop())

it('fetches again what is in sight, however far somebody has scrolled', async () => {
  const list = await scrolled(900)
  list.reach(502, 508)
  await change(...upTo(1000), 503.5)
  expect(asked).toEqual([499])
  expect(ids(list.rows.value).slice(500, 506)).toEqual([500, 501, 502, 503, 503.5, 504])
  expect(list.total.value).toBe(1001)
})

it('tells no row twice, and misses none that comes into sight', async () => {
  const list = await scrolled(60)
  const shown = (first: number, last: number): number[] => (list.reach(first, last), ids(list.rows.value).slice(first, last + 1))
  list.reach(22, 28)
  await change(...upTo(1000).filter((n) => n !== 23))
  expect(ids(list.rows.value).slice(20, 42)).toEqual(library.slice(20, 42))
  await change(...library, 24.5, 24.7, 34.5)
  for (let at = 55; at >= 0; at -= 5) {
    shown(at, at + 5)
    await flushPromises()
  }
  for (let at = 0; at < 60; at += 5) {
    shown(at, at + 5)
    await flushPromises()
    expect(shown(at, at + 5)).toEqual(library.slice(at, at + 6))
  }
  expect(ids(list.rows.value)).toEqual(library.slice(0, list.rows.value.length))
})

it('asks one thing at a time, and again for what changed meanwhile', async () => {
  const open: ((page: Page<{ id: string }>) => void)[] = []
  const list = scope.run(() => usePages('', () => new Promise<Page<{ id: string }>>((done) => open.push(done))))!
  for (let n = 0; n < 5; n++) {
    dispatchEvent(new Event(CHANGED))
    list.reach(0, 5)
  }
  expect(open.length).toBe(1)
  open[0]!(page(undefined))
  await flushPromises()
  expect(open.length).toBe(2)
  open[1]!(page(undefined))
  await flushPromises()
  expect([open.length, list.rows.value.length]).toEqual([2, SIZE])
})

it('ends when the list does, and finds an empty one filled', async () => {
  library = []
  const list = await scrolled(0)
  expect([list.total.value, list.error.value]).toEqual([0, null])
  await change(...upTo(25))
  list.reach(20, 24)
  await flushPromises()
  expect(ids(list.rows.value)).toEqual(upTo(25))
  await change(...upTo(3))
  list.reach(0, 2)
  await flushPromises()
  expect(ids(list.rows.value)).toEqual(upTo(3))
})

it('tells what goes wrong, and goes on when it is asked again', async () => {
  let fails = true
  const list = scope.run(() => usePages('', async () => {
    if (fails) throw new Error('no')
    return page(undefined)
  }))! // prettier-ignore
  await flushPromises()
  expect(list.error.value).toMatchObject({ message: 'no' })
  fails = false
  list.reach(0, 5)
  await flushPromises()
  expect([list.error.value, list.rows.value.length]).toEqual([null, SIZE])
})

it('gives all of a list of which little was seen', async () => {
  const list = await scrolled(0)
  expect(ids(await list.all())).toEqual(upTo(1000))
  expect(list.rows.value.length).toBe(SIZE)
})

it('keeps what somebody arranged where it stands, until it is fetched again', () => {
  const pages = new Pages<{ id: string }>()
  for (let n = 0; n < 2; n++) {
    pages.see(n * SIZE, n * SIZE)
    pages.put(pages.due!, page(n ? '9' : undefined))
  }
  pages.show([...upTo(20)].reverse().map(thing))
  expect(ids(pages.items)).toEqual([...upTo(20)].reverse())
  pages.changed()
  pages.put(pages.due!, page('9'))
  expect(ids(pages.items).slice(10)).toEqual(upTo(20).slice(10))
})
