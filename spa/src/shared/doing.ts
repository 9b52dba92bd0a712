/** What somebody begins and waits for: is it under way, and if it failed, why? */
import { ref } from 'vue'
import { t } from '@/app/i18n'
import { explain } from './problem'

/** With `tell` the reason is told as well, where no form stays open to show it. */
export function useDoing(tell?: (why: string) => void) {
  const busy = ref(false)
  const why = ref('')

  async function run(act: () => Promise<unknown>): Promise<void> {
    busy.value = true
    why.value = ''
    try {
      await act()
    } catch (problem) {
      why.value = explain(problem, t)
      tell?.(why.value)
    } finally {
      busy.value = false
    }
  }
  return { busy, why, run }
}
