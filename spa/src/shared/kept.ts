/** What this browser keeps from one visit to the next. A full or forbidden storage is no reason to fail. */
import { ref, watch, type Ref } from 'vue'

const PREFIX = 'ringnode.'

export function load<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name)
    return text === null ? otherwise : (JSON.parse(text) as T)
  } catch {
    return otherwise
  }
}

export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value))
  } catch {
    // It is then only not remembered.
  }
}

/** A ref that is there again at the next visit. */
export function kept<T>(name: string, otherwise: T): Ref<T> {
  const value = ref(load(name, otherwise)) as Ref<T>
  watch(value, (now) => keep(name, now), { deep: true })
  return value
}
