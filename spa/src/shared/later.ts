/** Parts of the player whose code comes when it has started, or when they are first shown. */
import { h, shallowRef, type Component, type FunctionalComponent } from 'vue'

type Load = () => Promise<unknown>
const parts: Load[] = []

/** Once its code is here it is shown at once: whoever opens a box goes on typing. */
export function later<T extends Component>(load: () => Promise<{ default: T }>): T {
  const part = shallowRef<T>()
  const come = async (): Promise<void> => {
    part.value ??= (await load()).default
  }
  parts.push(come)
  const shown: FunctionalComponent = (_, { attrs, slots }) => (part.value ? h(part.value, attrs, slots) : void come())
  shown.inheritAttrs = false
  return shown as unknown as T
}

const START_MS = 1_500
/** What is on the screen is there: time for what nobody waits for, which would take the network and the nodes from it. */
export const settled = new Promise<void>((done) => setTimeout(done, START_MS))

const BUSY_MS = 500
/** When nothing else is done, or has been done for long. Safari has no idle callbacks. */
const idle = (): Promise<unknown> =>
  new Promise((done) => ('requestIdleCallback' in window ? requestIdleCallback(done, { timeout: BUSY_MS }) : setTimeout(done)))

/** Have it all come, one after the other. What cannot come now comes when it is shown. */
export async function fetchAll(loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    await idle()
    await load().catch(() => undefined)
  }
}
export const fetchParts = (): Promise<void> => fetchAll(parts)
