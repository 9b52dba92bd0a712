/** What the home page and the pages of one's own show. All of it is forgotten as `mine` when a play or a star is told. */
import { useQuery } from '@tanstack/vue-query'
import { ref } from 'vue'
import { api, data } from '@/shared/http'
import { load, keep } from '@/shared/kept'

const MOST = 16
const MIX = 50

export const useNewest = () =>
  useQuery({
    queryKey: ['albums', 'newest'],
    queryFn: async () => (await data(api.GET('/albums', { params: { query: { sort: '-added_at', limit: MOST } } }))).items,
  })

/** Songs by chance: the same until somebody mixes anew. */
export function useMix() {
  const seed = ref(load('mix', 1))
  const found = useQuery({
    queryKey: ['songs', 'mix', seed],
    queryFn: async () =>
      (await data(api.GET('/songs', { params: { query: { sort: 'random', seed: seed.value, limit: MIX } } }))).items,
    placeholderData: (before) => before,
  })
  function mix(): void {
    seed.value = Math.floor(Math.random() * 1e9)
    keep('mix', seed.value)
  }
  return { songs: found.data, error: found.error, refetch: found.refetch, mix }
}

const SHELVES = {
  recent: { played: true, sort: '-played_at' },
  most: { played: true, sort: '-plays' },
  starred: { starred: true, sort: '-starred_at' },
} as const

export const useMine = (which: keyof typeof SHELVES) =>
  useQuery({
    queryKey: ['mine', which],
    queryFn: async () => (await data(api.GET('/me/songs', { params: { query: { ...SHELVES[which], limit: MOST } } }))).items,
  })
