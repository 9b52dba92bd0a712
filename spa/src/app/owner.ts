/** What a browser keeps is one person's: it waits until they are back, and whoever else logs in here does not find it. */
import { watch } from 'vue'
import { useSession } from '@/auth/session'
import { usePlayer } from '@/player/player'
import { keep, load } from '@/shared/kept'
import { queries } from '@/shared/queries'
import { cancel, forgetLeft, isOpen, tidy, uploads } from '@/upload/uploads'

/** Names of what is kept, with what stands for nothing. Albums stay: the library is everybody's. */
const NOTHING = { queue: null, position: { at_s: 0 }, queueAt: '', plays: [] }

export function useOwner(): void {
  const session = useSession()
  watch(() => session.user?.name, (name, before) => {
    if (name) return take(name)
    if (before) usePlayer().leave() // nothing is left on the screen to stop it with
    queries.clear()
  }, { immediate: true }) // prettier-ignore
}

function take(name: string): void {
  const owner = load('owner', '')
  if (owner && owner !== name) {
    usePlayer().clear()
    for (const one of uploads.filter(isOpen)) cancel(one.id)
    tidy()
    forgetLeft()
    for (const [what, nothing] of Object.entries(NOTHING)) keep(what, nothing)
  }
  keep('owner', name)
}
