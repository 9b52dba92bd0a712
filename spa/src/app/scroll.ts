/** How far each page was scrolled: who comes back to it finds it so. */
import { useEventListener } from '@vueuse/core'
import type { Ref } from 'vue'

const PATIENCE_MS = 5_000
interface Place {
  top: number
  list: boolean
}
const places = new Map<unknown, Place>()
let following = 0 // until the next frame

/** Where the browser is in its history, as the router counts. */
const position = (): unknown => (history.state as { position?: number } | null)?.position
/** A long list scrolls by itself, all else within the page. */
const scroller = (): HTMLElement | null => document.querySelector('#main [data-scroller]') ?? document.getElementById('main')
const isList = (box: HTMLElement): boolean => 'scroller' in box.dataset

/** A page is shown, as new, or `again`. */
export function arrive(again: boolean): void {
  letGo()
  const place = again ? places.get(position()) : undefined
  if (place) follow(place, performance.now() + PATIENCE_MS)
  else document.getElementById('main')?.scrollTo(0, 0)
}

/** What is shown is fetched again: it is followed as it grows, until it is long enough. */
function follow(place: Place, until_ms: number): void {
  const box = scroller()
  if (box && isList(box) === place.list) {
    box.scrollTop = place.top
    if (box.scrollTop >= place.top - 1) return letGo()
  }
  if (performance.now() > until_ms) letGo()
  else following = requestAnimationFrame(() => follow(place, until_ms))
}

function letGo(): void {
  cancelAnimationFrame(following)
  following = 0
}

export function useScrollBack(main: Ref<HTMLElement | null>): void {
  const remember = ({ target }: Event): void => {
    const box = scroller()
    if (box && box === target && !following) places.set(position(), { top: box.scrollTop, list: isList(box) })
  }
  useEventListener(main, 'scroll', remember, { capture: true, passive: true })
  useEventListener(main, ['wheel', 'touchmove', 'pointerdown', 'keydown'], letGo, { passive: true })
}
