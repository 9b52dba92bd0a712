/** Favourites and ratings of one's own. A star is on the screen at once, and taken back if no node keeps it. */
import { useQuery } from '@tanstack/vue-query'
import { createSharedComposable } from '@vueuse/core'
import { computed } from 'vue'
import { t } from '@/app/i18n'
import { api, data } from '@/shared/http'
import { explain } from '@/shared/problem'
import { queries } from '@/shared/queries'
import { toast } from '@/shared/toasts'
import { Presses } from './presses'

export type Thing = 'song' | 'album' | 'artist'
const PAGE = 500
const FRESH_MS = 120_000

async function starred(what: Thing): Promise<Set<string>> {
  const ids = new Set<string>()
  let cursor: string | null | undefined
  do {
    const query = { what, limit: PAGE, ...(cursor ? { cursor } : {}) }
    const page = await data(api.GET('/me/stars', { params: { query } }))
    for (const mark of page.items) ids.add(mark.id)
    cursor = page.next_cursor as string | null
  } while (cursor)
  return ids
}

function starsOf(what: Thing) {
  const presses = new Presses<boolean>()
  const key = ['stars', what]
  const { data: ids } = useQuery({ queryKey: key, queryFn: () => starred(what), staleTime: FRESH_MS }, queries)
  const has = (id: string): boolean => ids.value?.has(id) ?? false

  /** Of the stars that are known by now: others may have been given meanwhile. */
  function show(given: readonly string[], on: boolean): void {
    queries.setQueryData<Set<string>>(key, (known) => {
      const after = new Set(known)
      for (const id of given) after[on ? 'add' : 'delete'](id)
      return known && after
    })
  }

  async function send(given: readonly string[], on: boolean): Promise<void> {
    for (let at = 0; at < given.length; at += PAGE)
      await data(api.POST('/me/stars', { body: { what, ids: given.slice(at, at + PAGE), starred: on } }))
  }

  async function star(given: readonly string[], on: boolean): Promise<void> {
    try {
      await presses.press(given, on, { has, show, send })
      void queries.invalidateQueries({ queryKey: ['mine'] })
      if (!ids.value) void queries.invalidateQueries({ queryKey: key })
    } catch (problem) {
      toast(explain(problem, t), 'trouble')
    }
  }
  return { ids, has, star, toggle: (id: string) => star([id], !has(id)) }
}

/** Asked for once, however many rows have a star. */
const shared = {
  song: createSharedComposable(() => starsOf('song')),
  album: createSharedComposable(() => starsOf('album')),
  artist: createSharedComposable(() => starsOf('artist')),
}
export const useStars = (what: Thing): ReturnType<typeof starsOf> => shared[what]()

const ratings = new Presses<number>()

/** One's own rating of a thing, from one star to five, or 0, and how often one has played it. */
export function useMark(what: Thing, id: () => string) {
  const keyOf = (id: string) => ['marks', what, id]
  const { data: marks } = useQuery(
    { queryKey: computed(() => keyOf(id())), queryFn: () => data(api.GET('/me/marks', { params: { query: { what, ids: id() } } })) },
    queries,
  )
  type Marks = typeof marks.value

  async function show(id: string, rating: number): Promise<void> {
    await queries.cancelQueries({ queryKey: keyOf(id) }) // its answer would be of before
    queries.setQueryData<Marks>(keyOf(id), (known) => known?.map((mark) => ({ ...mark, rating })))
  }
  const around = {
    has: (id: string) => queries.getQueryData<Marks>(keyOf(id))?.[0]?.rating ?? 0,
    show: (ids: readonly string[], rating: number) => ids.forEach((id) => void show(id, rating)),
    send: (ids: readonly string[], rating: number) => data(api.POST('/me/ratings', { body: { what, ids: [...ids], rating } })),
  }

  async function rate(rating: number): Promise<void> {
    const rated = id()
    try {
      await ratings.press([rated], rating, around)
    } catch (problem) {
      toast(explain(problem, t), 'trouble')
    }
    void queries.invalidateQueries({ queryKey: keyOf(rated) })
    void queries.invalidateQueries({ queryKey: ['mine'] })
  }
  return { rating: computed(() => marks.value?.[0]?.rating ?? 0), plays: computed(() => marks.value?.[0]?.plays ?? 0), rate }
}
