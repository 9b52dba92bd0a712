/** Parts of the player whose code comes when it has started, or when they are first shown. */
import { defineAsyncComponent, type Component } from 'vue'

type Load<T = Component> = () => Promise<{ default: T }>
const parts: Load[] = []

export function later<T extends Component>(load: Load<T>): T {
  parts.push(load)
  return defineAsyncComponent(load)
}

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
