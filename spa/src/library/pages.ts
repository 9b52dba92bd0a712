/** Lists of any length out of the API's pages: fetched as far as somebody has scrolled. */
import { useEventListener } from '@vueuse/core'
import { onScopeDispose, ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { CHANGED } from '@/shared/queries'

export interface Page<T> {
  items: T[]
  next_cursor: string | null
  total: number
}

const TYPING_MS = 150

/**
 * All that `fetchPage` gives, anew whenever `query` changes. Call `reach` with the last index that is seen: that much is
 * fetched, in order. What is shown stays until the first page of the new list is there.
 */
export function usePages<T, Q>(query: MaybeRefOrGetter<Q>, fetchPage: (query: Q, cursor?: string) => Promise<Page<T>>) {
  const rows = shallowRef<T[]>([])
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
      while (mine === turn && cursor !== null && (cursor === undefined || rows.value.length <= wanted)) {
        const page = await fetchPage(toValue(query), cursor)
        if (mine !== turn) break
        rows.value = [...(cursor === undefined ? [] : rows.value), ...page.items]
        total.value = page.total
        cursor = page.next_cursor
      }
      error.value = null
    } catch (problem) {
      if (mine === turn) error.value = problem
    } finally {
      busy = false
    }
    if (mine !== turn) await fetchOn()
  }

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
  watch(
    () => JSON.stringify(toValue(query)),
    () => {
      clearTimeout(typing)
      typing = setTimeout(refresh, TYPING_MS)
    },
  )
  onScopeDispose(() => {
    turn += 1
    clearTimeout(typing)
  })
  // Something in it may be another now: as much as was seen is fetched again, and shown until then as it is.
  useEventListener(globalThis, CHANGED, () => {
    turn += 1
    cursor = undefined
    void fetchOn()
  })
  refresh()
  return { rows, total, error, reach, refresh }
}
