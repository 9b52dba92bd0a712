/**
 * Lists of any length out of the API's pages: fetched as far as somebody has scrolled. After a change of the library only
 * what is in sight is fetched again, the rest when it comes into sight: what a change costs does not grow with the list.
 */
import { useElementBounding, useEventListener, useWindowSize, watchDebounced } from '@vueuse/core'
import { onScopeDispose, ref, shallowRef, toValue, watchEffect, type MaybeRefOrGetter, type Ref } from 'vue'
import { CHANGED } from '@/shared/queries'

export interface Page<T> {
  items: T[]
  next_cursor: string | null
  total: number
}

/** A page that is here. It begins where the one before it ends. */
interface Kept<T> {
  items: readonly T[]
  next: string | null
  /** How many changes had been told when it was asked for; -1 if it begins elsewhere now. */
  as_of: number
}

/** What is to be fetched next. */
interface Asked<T> {
  of: Kept<T>[]
  n: number
  cursor: string | undefined
  as_of: number
}

interface Thing {
  id: string
  /** Where a thing may stand in a list twice. */
  entry?: string
}

const TYPING_MS = 150
/** Pixels around the window that count as in sight. */
const MARGIN = 800

/** Which pages are here, and which is to be fetched next. Knows no Vue and asks nobody. */
export class Pages<T extends Thing> {
  private pages: Kept<T>[] = []
  private changes = 0
  private seen = { first: 0, last: 0 }

  get items(): T[] {
    return this.pages.flatMap((page) => page.items)
  }

  /** The first page in sight that is not here, or as it was before a change; null if there is none. */
  get due(): Asked<T> | null {
    let begin = 0
    let n = 0
    for (const { items, as_of } of this.pages) {
      if (as_of < this.changes && begin <= this.seen.last && begin + Math.max(1, items.length) > this.seen.first) return this.asked(n)
      begin += items.length
      n += 1
    }
    return this.pages.at(-1)?.next !== null && begin <= this.seen.last ? this.asked(n) : null
  }

  private asked(n: number): Asked<T> {
    return { of: this.pages, n, cursor: this.pages[n - 1]?.next ?? undefined, as_of: this.changes }
  }

  /** Is it still wanted? */
  wants({ of }: Asked<T>): boolean {
    return of === this.pages
  }

  put({ n, as_of }: Asked<T>, { items, next_cursor: next }: Page<T>): void {
    const [before, after] = [this.pages[n], this.pages[n + 1]]
    this.pages[n] = { items, next, as_of }
    if (next === null) this.pages.length = n + 1
    else if (after && before?.next !== next) {
      const here = new Set(items.map(keyOf))
      after.items = after.items.filter((item) => !here.has(keyOf(item)))
      after.as_of = -1
    }
  }

  see(first: number, last: number): void {
    this.seen = { first, last }
  }

  /** Whatever is here may be another now. */
  changed(): void {
    this.changes += 1
  }

  /** These in place of those that are here, until they are fetched again. */
  show(items: readonly T[]): void {
    let from = 0
    for (const page of this.pages) page.items = items.slice(from, (from += page.items.length))
  }

  clear(): void {
    this.pages = []
  }
}

/** What tells a thing from all others of its list. */
export const keyOf = (item: Thing): string => item.entry ?? item.id

/**
 * All that `fetchPage` gives, anew whenever `query` changes. Call `reach` with the first and last index in sight: as far as
 * that is fetched, in order, one page at a time. What is shown stays until the first page of the new list is there.
 */
export function usePages<T extends Thing, Q>(query: MaybeRefOrGetter<Q>, fetchPage: (query: Q, cursor?: string) => Promise<Page<T>>) {
  const rows = shallowRef<readonly T[]>([])
  const total = ref<number | null>(null)
  const error = shallowRef<unknown>(null)
  const pages = new Pages<T>()
  let busy = false

  async function fetchOn(): Promise<void> {
    if (busy) return
    busy = true
    try {
      for (let asked = pages.due; asked; asked = pages.due) await fetchOne(asked)
      error.value = null
    } catch (problem) {
      error.value = problem
    } finally {
      busy = false
    }
  }
  async function fetchOne(asked: Asked<T>): Promise<void> {
    try {
      const page = await fetchPage(toValue(query), asked.cursor)
      if (!pages.wants(asked)) return
      pages.put(asked, page)
      rows.value = pages.items
      total.value = page.total
    } catch (problem) {
      if (pages.wants(asked)) throw problem
    }
  }

  function refresh(): void {
    pages.clear()
    void fetchOn()
  }
  function reach(first: number, last: number): void {
    pages.see(first, last)
    void fetchOn()
  }
  /** Show these, as somebody has just arranged them. */
  function show(items: readonly T[]): void {
    pages.show(items)
    rows.value = items
  }
  /** All there are, however little was seen. Throws what `fetchPage` does. */
  const all = async (): Promise<readonly T[]> =>
    rows.value.length === total.value ? rows.value : whole((cursor) => fetchPage(toValue(query), cursor))

  watchDebounced(() => JSON.stringify(toValue(query)), refresh, { debounce: TYPING_MS })
  onScopeDispose(() => {
    pages.see(0, -1)
    pages.clear()
  })
  useEventListener(globalThis, CHANGED, () => {
    pages.changed()
    void fetchOn()
  })
  refresh()
  return { rows, total, error, reach, refresh, show, all }
}

async function whole<T>(fetchPage: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page: Page<T> = await fetchPage(cursor)
    found.push(...page.items)
    cursor = page.next_cursor
  }
  return found
}

/** Tell which of the things that fill a box are in sight, about: they are laid out evenly. */
export function useSight(box: Ref<HTMLElement | null>, count: () => number, told: (first: number, last: number) => void): void {
  const { top, height } = useElementBounding(box)
  const { height: screen } = useWindowSize()
  const indexAt = (y: number): number => Math.floor((count() * (y - top.value)) / height.value)
  watchEffect(() => height.value && told(indexAt(-MARGIN), indexAt(screen.value + MARGIN)))
}
