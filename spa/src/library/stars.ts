/** Favourites and ratings of one's own. A star is on the screen at once, and taken back if no node keeps it. */
import { useQuery } from '@tanstack/vue-query'
import { createSharedComposable } from '@vueuse/core'
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
  const presses = new Presses()
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
