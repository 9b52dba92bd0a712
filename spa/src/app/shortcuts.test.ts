import { createPinia, setActivePinia } from 'pinia'
import { effectScope, ref, type EffectScope } from 'vue'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { usePlayer } from '@/player/player'
import { useShortcuts } from './shortcuts'

const [queue, searching, keys, lyrics, text] = [ref(false), ref(false), ref(false), ref(false), ref('')]
let scope: EffectScope

beforeEach(() => {
  setActivePinia(createPinia())
  document.body.innerHTML = '<main tabindex="0"><input><button>Play</button></main><div role="dialog"><input><button>opus</button></div>'
  scope = effectScope()
  scope.run(() => useShortcuts({ queue, searching, keys, lyrics }, text))
})

afterEach(() => {
  scope.stop()
  for (const open of [queue, searching, keys, lyrics]) open.value = false
  text.value = ''
  vi.restoreAllMocks()
})

/** Press a key on an element. Was it left to it? */
function press(key: string, on = 'main', more: KeyboardEventInit = {}): boolean {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
  return document.querySelector(on)!.dispatchEvent(event)
}

it('opens what the keyboard map says', () => {
  for (const key of ['q', '?', 'l', '/']) expect(press(key)).toBe(false)
  expect([queue, keys, lyrics, searching].map((open) => open.value)).toEqual([true, true, true, true])
})

it('leaves keys to where one types, but for the search', () => {
  expect(press('q', 'main input')).toBe(true)
  expect(press('k', 'main input', { ctrlKey: true })).toBe(false)
  expect([queue.value, searching.value]).toEqual([false, true])
})

it('who opens the search goes on typing, though its box is not there yet', () => {
  const previous = vi.spyOn(usePlayer(), 'previous')
  press('k', 'main', { ctrlKey: true })
  for (const on of ['main button', 'main input']) for (const key of 'p q') expect(press(key, on)).toBe(false)
  expect([text.value, queue.value]).toEqual(['p qp q', false])
  expect(previous).not.toHaveBeenCalled()
})

it('and what the box itself has the keys for is left to it', () => {
  searching.value = true
  for (const on of ['[role=dialog] input', '[role=dialog] button']) expect(press('q', on)).toBe(true)
  press('Enter')
  press('v', 'main', { ctrlKey: true })
  expect([text.value, queue.value]).toEqual(['', false])
})
