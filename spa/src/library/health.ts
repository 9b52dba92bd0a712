/** How safe songs are that are looked at together: how many whole copies the least copied of them has. */
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, data } from '@/shared/http'

export interface Health {
  /** Copies of the least copied song on nodes that answer, and how many there should be. */
  least: number
  wanted: number
  whole: boolean
}

/** The worst of some songs; null of none. */
export function worst(songs: readonly { wanted: number; copies: readonly unknown[] }[]): Health | null {
  if (!songs.length) return null
  const least = Math.min(...songs.map((song) => song.copies.length))
  const wanted = Math.max(...songs.map((song) => song.wanted))
  return { least, wanted, whole: songs.every((song) => song.copies.length >= song.wanted) }
}

/** Each question goes to all owners of a song, so few are asked at once, and not of endless albums. */
const MOST = 60
const AT_ONCE = 4
const FRESH_MS = 60_000

export function useHealth(ids: () => readonly string[]) {
  const { data: health } = useQuery({
    queryKey: ['health', ids],
    enabled: () => ids().length > 0,
    staleTime: FRESH_MS,
    queryFn: async ({ signal }) => {
      const left = ids().slice(0, MOST)
      const found: { wanted: number; copies: readonly unknown[] }[] = []
      const ask = async (): Promise<void> => {
        for (let id = left.shift(); id && !signal.aborted; id = left.shift())
          found.push(await data(api.GET('/songs/{id}/copies', { params: { path: { id } } })))
      }
      await Promise.all(Array.from({ length: AT_ONCE }, ask))
      return worst(found)
    },
  })
  return computed(() => health.value ?? null)
}
