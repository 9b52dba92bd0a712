/** Whole lists into the player, however little of them is on the screen. */
import { t } from '@/app/i18n'
import { usePlayer } from '@/player/player'
import { QUEUE_LIMIT, type QueueSong } from '@/player/queue'
import { explain } from '@/shared/problem'
import { toast } from '@/shared/toasts'

type Songs = readonly (QueueSong & { gone?: boolean })[]
type Whole = () => Songs | Promise<Songs>

/** As many as the queue takes, in their order: the first, or some by chance, each as likely as any (Knuth's algorithm S). */
export function fitting<T>(songs: readonly T[], byChance: boolean, room = QUEUE_LIMIT, random = Math.random): T[] {
  if (!byChance) return songs.slice(0, room)
  let wanted = Math.min(room, songs.length)
  return songs.filter((_, n) => random() * (songs.length - n) < wanted && wanted--)
}

export async function playAll(whole: Whole, shuffled: boolean): Promise<void> {
  const player = usePlayer()
  await told(whole, (songs) => {
    const some = fitting(songs, shuffled)
    player.setShuffle(shuffled)
    player.playSongs(some, shuffled ? Math.floor(Math.random() * some.length) : 0)
    if (some.length < songs.length) toast(t('queue.full', { n: some.length }))
  })
}

export async function enqueueAll(whole: Whole): Promise<void> {
  await told(whole, (songs) => usePlayer().add(songs, 'end'))
}

async function told(whole: Whole, act: (songs: Songs) => void): Promise<void> {
  try {
    act((await whole()).filter((song) => !song.gone))
  } catch (problem) {
    toast(explain(problem, t), 'trouble')
  }
}
