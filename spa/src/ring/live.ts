/** What is shown of the ring and the library follows the news of the node. Polling goes on beside it, as a fallback. */
import { useDebounceFn } from '@vueuse/core'
import { onScopeDispose } from 'vue'
import { watchNews } from '@/shared/events'
import { libraryChanged, queries } from '@/shared/queries'

const CALM_MS = 400
/** While news never stop, what is shown is renewed this often nevertheless. */
const LONGEST_MS = 10_000
const OF_THE_RING = ['node', 'repair', 'reset']
const OF_THE_LIBRARY = ['library', 'reset']

export function useNews(): void {
  const end = new AbortController()
  const ring = useDebounceFn(() => void queries.invalidateQueries({ queryKey: ['ring'] }), CALM_MS, { maxWait: LONGEST_MS })
  const library = useDebounceFn(() => void libraryChanged(), CALM_MS * 3, { maxWait: LONGEST_MS })
  void watchNews(({ event }) => {
    if (OF_THE_RING.includes(event)) void ring()
    if (OF_THE_LIBRARY.includes(event)) void library()
  }, end.signal)
  onScopeDispose(() => end.abort())
}
