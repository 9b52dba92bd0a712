/** What was heard, told to the API; what it could not be told now is told later, from this browser's own list. */
import { ref } from 'vue'
import { api, data } from '@/shared/http'
import { keep, load } from '@/shared/kept'
import { asProblem } from '@/shared/problem'

interface Play {
  song: string
  at: string
  /** The same for every try, so that it counts once. */
  id: string
}

/** How many plays the API has taken: what is shown of them is old then. */
export const told = ref(0)
const MOST = 500
let busy = false

export function played(song: string): void {
  const play = { song, at: new Date().toISOString(), id: Math.random().toString(36).slice(2) + Date.now().toString(36) }
  keep('plays', [...load<Play[]>('plays', []), play].slice(-MOST))
  void tell()
}

/** Tell all that was not told yet, oldest first. */
export async function tell(): Promise<void> {
  if (busy) return
  busy = true
  try {
    for (let left = load<Play[]>('plays', []); left[0]; left = load<Play[]>('plays', [])) {
      const body = left[0]
      const answer = await data(api.POST('/me/plays', { body })).catch(asProblem)
      if (answer instanceof Error && (answer.passing || answer.status === 401)) return
      told.value += 1
      keep('plays', load<Play[]>('plays', []).filter((play) => play.id !== body.id))
    }
  } finally {
    busy = false
  }
}
