/** Which rows of a list are selected, and where rows go that are moved, as lists of files have it. Knows no DOM. */
import { computed, ref } from 'vue'

export interface How {
  /** Beside what is selected already, or taken out of it. */
  toggle: boolean
  /** All from the one selected last. */
  range: boolean
}

/** The keys that are selected after a click on the row with this index. */
export function chosen(before: ReadonlySet<string>, keys: readonly string[], index: number, anchor: number, how: How): Set<string> {
  const after = new Set(how.toggle ? before : [])
  const key = keys[index]
  if (key === undefined) return after
  if (how.range) for (const other of keys.slice(Math.min(index, anchor), Math.max(index, anchor) + 1)) after.add(other)
  else if (how.toggle && after.has(key)) after.delete(key)
  else after.add(key)
  return after
}

/** The order in which the `moving` keys stand before the one at index `to`, and the key that they stand behind. */
export function arranged(keys: readonly string[], moving: ReadonlySet<string>, to: number): { keys: string[]; after: string } {
  const rest = keys.filter((key) => !moving.has(key))
  const at = keys.slice(0, Math.max(0, to)).filter((key) => !moving.has(key)).length
  const moved = keys.filter((key) => moving.has(key))
  return { keys: [...rest.slice(0, at), ...moved, ...rest.slice(at)], after: rest[at - 1] ?? '' }
}

/** The rows that stand in the document: those in sight, and the one that has the focus. */
export function withHeld(shown: number[], held: number | null, count: number): number[] {
  if (held === null || held >= count || shown.includes(held)) return shown
  return [...shown, held].sort((a, b) => a - b)
}

export function useSelection(keys: () => readonly string[]) {
  const selected = ref<ReadonlySet<string>>(new Set())
  const anchor = ref(0)

  function choose(index: number, how: How): void {
    selected.value = chosen(selected.value, keys(), index, anchor.value, how)
    if (!how.range) anchor.value = index
  }
  function click(index: number, event: MouseEvent | KeyboardEvent): void {
    const toggle = event.ctrlKey || event.metaKey || event.type === 'keydown'
    choose(index, { toggle, range: event.shiftKey })
  }
  const all = (): void => void (selected.value = new Set(keys()))
  const clear = (): void => void (selected.value = new Set())
  const several = computed(() => selected.value.size > 1)
  return { selected, anchor, several, choose, click, all, clear }
}
