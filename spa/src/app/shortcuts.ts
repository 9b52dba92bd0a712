/** The keys, in one table: what the keyboard map shows is what works. */
import { useEventListener } from '@vueuse/core'
import type { Ref } from 'vue'
import { usePlayer } from '@/player/player'

export interface Shortcut {
  /** Names of its message and of what it does. */
  does: string
  keys: readonly string[]
  run: () => void
}

const SEEK_S = 5
const LOUDER = 0.05

export function shortcutsOf(open: { queue: Ref<boolean>; searching: Ref<boolean>; keys: Ref<boolean>; lyrics: Ref<boolean> }): Shortcut[] {
  const player = usePlayer()
  const louder = (by: number): void => {
    player.muted = false
    player.volume = Math.max(0, Math.min(1, player.volume + by))
  }
  return [
    { does: 'toggle', keys: [' ', 'k'], run: () => player.toggle() },
    { does: 'next', keys: ['n', 'Shift+ArrowRight'], run: () => player.next() },
    { does: 'previous', keys: ['p', 'Shift+ArrowLeft'], run: () => player.previous() },
    { does: 'forward', keys: ['ArrowRight'], run: () => player.seek(player.position_s + SEEK_S) },
    { does: 'back', keys: ['ArrowLeft'], run: () => player.seek(player.position_s - SEEK_S) },
    { does: 'louder', keys: ['+'], run: () => louder(LOUDER) },
    { does: 'quieter', keys: ['-'], run: () => louder(-LOUDER) },
    { does: 'mute', keys: ['m'], run: () => (player.muted = !player.muted) },
    { does: 'shuffle', keys: ['s'], run: () => player.setShuffle(!player.shuffle) },
    { does: 'queue', keys: ['q'], run: () => (open.queue.value = !open.queue.value) },
    { does: 'lyrics', keys: ['l'], run: () => (open.lyrics.value = !open.lyrics.value) },
    { does: 'search', keys: ['/', 'Ctrl+k'], run: () => (open.searching.value = true) },
    { does: 'keys', keys: ['?'], run: () => (open.keys.value = true) },
  ]
}

/** How a key is written: Ctrl+k, Shift+ArrowLeft, ?. */
export function named(event: KeyboardEvent): string {
  const ctrl = event.ctrlKey || event.metaKey ? 'Ctrl+' : ''
  const shift = event.shiftKey && event.key.length > 1 ? 'Shift+' : ''
  return `${ctrl}${event.altKey ? 'Alt+' : ''}${shift}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`
}

/** Is the key meant for what has the focus? */
export function isTaken(event: KeyboardEvent): boolean {
  const element = event.target as HTMLElement
  if (event.defaultPrevented || element.closest('[role=dialog], [role=menu]')) return !isGlobal(event)
  if (element.closest('input:not([type=range]), textarea, select, [contenteditable]')) return !isGlobal(event)
  const own: Record<string, string> = {
    ' ': 'button, a, [role=row], [role=slider], input',
    ArrowLeft: '[role=slider], input',
    ArrowRight: '[role=slider], input',
  }
  const selector = own[event.key]
  return selector !== undefined && element.closest(selector) !== null
}

const isGlobal = (event: KeyboardEvent): boolean => named(event) === 'Ctrl+k'

/** Whoever opens the search goes on typing, whether its code has come or not, and its box has the focus. */
function isTyped(event: KeyboardEvent): boolean {
  const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey
  return plain && !(event.target as HTMLElement).closest('[role=dialog] :is(input, button)')
}

/** `text` is what is looked for. */
export function useShortcuts(open: Parameters<typeof shortcutsOf>[0], text: Ref<string>): void {
  const table = shortcutsOf(open)
  useEventListener(window, 'keydown', (event) => {
    if (open.searching.value && isTyped(event)) {
      event.preventDefault()
      text.value += event.key
      return
    }
    const found = table.find((shortcut) => shortcut.keys.includes(named(event)))
    if (!found || isTaken(event)) return
    event.preventDefault()
    found.run()
  })
}
