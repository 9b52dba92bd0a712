/** Short notices at the edge of the screen, read out by screen readers. */
import { reactive } from 'vue'

export interface Toast {
  id: number
  text: string
  tone: 'news' | 'trouble'
  action?: { label: string; run: () => void } | undefined
}

const STAY_MS = { news: 5_000, trouble: 9_000 }
const MOST = 4

export const toasts = reactive<Toast[]>([])
let last = 0

/** Show a notice; with an action it stays twice as long. */
export function toast(text: string, tone: Toast['tone'] = 'news', action?: Toast['action']): void {
  const again = toasts.find((other) => other.text === text)
  if (again) dismiss(again.id)
  const id = ++last
  toasts.push({ id, text, tone, action })
  if (toasts.length > MOST) toasts.shift()
  setTimeout(() => dismiss(id), STAY_MS[tone] * (action ? 2 : 1))
}

export function dismiss(id: number): void {
  const at = toasts.findIndex((other) => other.id === id)
  if (at >= 0) toasts.splice(at, 1)
}
