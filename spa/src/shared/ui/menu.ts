/** Menus. There is one for all that have one, since most are never opened; `Menus.vue` shows it. */
import { shallowRef, type Component, type Directive } from 'vue'

export interface Item {
  label: string
  icon?: Component
  run: () => unknown
  trouble?: boolean
}
/** A function is asked for the items when the menu opens. */
type Items = readonly Item[] | (() => readonly Item[])

interface Opened {
  items: readonly Item[]
  /** What it belongs to. */
  from: HTMLElement
  /** What has the focus again afterwards. */
  back: HTMLElement
  /** What it stands at: its button, or the point that was pressed. */
  at: { getBoundingClientRect(): DOMRect }
}
export const opened = shallowRef<Opened | null>(null)

const HOLD_MS = 600
const itemsOf = new WeakMap<HTMLElement, Items>()

function open(from: HTMLElement, at: Opened['at'] = from): void {
  const [items, active] = [itemsOf.get(from) ?? [], document.activeElement]
  const back = active instanceof HTMLElement && from.contains(active) ? active : from
  opened.value = { items: typeof items === 'function' ? items() : items, from, back, at }
}

function byClick(element: HTMLElement): void {
  element.setAttribute('aria-haspopup', 'menu')
  element.setAttribute('aria-expanded', 'false')
  element.addEventListener('click', () => (opened.value?.from === element ? (opened.value = null) : open(element)))
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown') return
    event.preventDefault()
    open(element)
  })
}

/** Not every browser makes a right click of a finger that rests. */
function byRightClick(element: HTMLElement): void {
  let hold: ReturnType<typeof setTimeout> | undefined
  const openAt = ({ clientX, clientY }: MouseEvent): void => {
    clearTimeout(hold)
    open(element, { getBoundingClientRect: () => new DOMRect(clientX, clientY) })
  }
  element.style.setProperty('-webkit-touch-callout', 'none')
  element.addEventListener('contextmenu', (event) => (event.preventDefault(), openAt(event)))
  element.addEventListener('pointerdown', (event) => {
    clearTimeout(hold)
    if (event.pointerType !== 'mouse') hold = setTimeout(openAt, HOLD_MS, event)
  })
  for (const end of ['pointermove', 'pointerup', 'pointercancel']) element.addEventListener(end, () => clearTimeout(hold))
}

/** `v-menu` opens it by a click; `v-menu.context` by a right click, a finger that rests, or the menu key. */
export const vMenu: Directive<HTMLElement, Items, 'context'> = {
  mounted(element, { value, modifiers }) {
    itemsOf.set(element, value)
    if (modifiers.context) byRightClick(element)
    else byClick(element)
  },
  updated: (element, { value }) => void itemsOf.set(element, value),
  beforeUnmount(element) {
    if (opened.value?.from === element) opened.value = null
  },
}
