/** Songs of the API for lists of any length: pages are fetched as far as somebody has scrolled, and kept slim. */
import { markRaw, onScopeDispose, ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { queueSong } from '@/player/player'
import type { QueueSong } from '@/player/queue'
import { api, data } from '@/shared/http'
import type { components } from '@/shared/schema'

export type Song = components['schemas']['Song']
export interface Row extends QueueSong {
  genre: string
  year: string
  format: string
}

const PAGE = 500
const TYPING_MS = 150

function row(song: Song): Row {
  const { genres, date, format } = song
  return markRaw({ ...queueSong(song), genre: genres[0] ?? '', year: date.slice(0, 4), format })
}

/** The songs that a query finds, all of them if it is empty. Call `reach` with the last index that is seen. */
export function useSongs(query: MaybeRefOrGetter<string>) {
  const rows = shallowRef<Row[]>([])
  const total = ref<number | null>(null)
  const error = shallowRef<unknown>(null)
  let cursor: string | null | undefined
  let wanted = 0
  let turn = 0
  let busy = false

  async function fetchOn(): Promise<void> {
    if (busy || cursor === null) return
    busy = true
    const mine = turn
    try {
      while (mine === turn && cursor !== null && rows.value.length <= wanted) {
        const q = toValue(query).trim()
        const asked = { limit: PAGE, ...(q ? { q } : {}), ...(cursor ? { cursor } : {}) }
        const page = await data(api.GET('/songs', { params: { query: asked } }))
        if (mine !== turn) break
        rows.value = [...(cursor === undefined ? [] : rows.value), ...page.items.map(row)]
        total.value = page.total
        cursor = page.next_cursor as string | null
      }
      error.value = null
    } catch (problem) {
      if (mine === turn) error.value = problem
    } finally {
      busy = false
    }
    if (mine !== turn) await fetchOn()
  }

  /** Anew, from the beginning; what is shown stays until then. */
  function refresh(): void {
    turn += 1
    cursor = undefined
    wanted = 0
    void fetchOn()
  }

  function reach(index: number): void {
    wanted = Math.max(wanted, index)
    void fetchOn()
  }

  let typing: ReturnType<typeof setTimeout> | undefined
  watch(() => toValue(query), () => {
    clearTimeout(typing)
    typing = setTimeout(refresh, TYPING_MS)
  })
  onScopeDispose(() => {
    turn += 1
    clearTimeout(typing)
  })
  refresh()
  return { rows, total, error, reach, refresh }
}
