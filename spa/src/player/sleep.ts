/** The sleep timer: fades out and pauses after some minutes, or at the end of the song. */
import { computed, ref } from 'vue'

export const FADE_S = 8

export interface Sleep {
  /** Minutes, or the end of the song. */
  set(when: number | 'song' | null): void
}

export function useSleep(fade: (over_s: number) => void, pause: () => void) {
  const until_ms = ref<number | null>(null)
  const atEnd = ref(false)
  let timers: ReturnType<typeof setTimeout>[] = []

  function set(when: number | 'song' | null): void {
    timers.forEach(clearTimeout)
    timers = []
    atEnd.value = when === 'song'
    until_ms.value = typeof when === 'number' ? Date.now() + when * 60_000 : null
    if (typeof when !== 'number') return
    const wait_ms = when * 60_000
    timers.push(setTimeout(() => fade(FADE_S), wait_ms - FADE_S * 1000))
    timers.push(
      setTimeout(() => {
        set(null)
        pause()
      }, wait_ms),
    )
  }

  return { until_ms, atEnd, set, on: computed(() => atEnd.value || until_ms.value !== null) }
}
