/** What is done to songs of the library, from any list of them: changed, deleted and brought back, saved to disk. */
import { shallowRef } from 'vue'
import { t } from '@/app/i18n'
import { useSession } from '@/auth/session'
import { usePlayer } from '@/player/player'
import { api, data } from '@/shared/http'
import { explain } from '@/shared/problem'
import { libraryChanged } from '@/shared/queries'
import type { components } from '@/shared/schema'
import { toast } from '@/shared/toasts'

type Outcome = components['schemas']['Outcome']
/** The description of the API cannot say that a field may be any of several kinds. */
type Edits = NonNullable<components['schemas']['Edits']['edits']>
interface Known {
  id: string
  title: string
}

/** As many as the API takes at once. */
export const AT_ONCE = 500

/** The ids of the songs whose tags are open to be changed; `ManageSheets.vue` shows them. */
export const editing = shallowRef<readonly string[]>([])
/** Albums that are to become one: the first is where it began. */
export const merging = shallowRef<{ id: string; title: string; artist: string } | null>(null)

export function editTags(songs: readonly Known[]): void {
  if (fits(songs)) editing.value = songs.map((song) => song.id)
}

/** Delete songs, with a way back as long as the notice stands. */
export async function deleteSongs(songs: readonly Known[]): Promise<boolean> {
  if (!fits(songs)) return false
  try {
    const outcomes = await data(api.POST('/songs/delete', { body: { ids: songs.map((song) => song.id) } }))
    const gone = outcomes.filter((one) => one.done).map((one) => one.id)
    tellFailed(outcomes, 'manage.notDeleted')
    if (!gone.length) return false
    const player = usePlayer()
    const uids = player.entries.filter((entry) => gone.includes(entry.song.id)).map((entry) => entry.uid)
    if (uids.length) player.remove(uids)
    const title = songs.find((song) => song.id === gone[0])?.title ?? ''
    const text = gone.length === 1 ? t('manage.deleted', { title }) : t('manage.deletedMany', { n: gone.length })
    toast(text, 'news', { label: t('manage.undo'), run: () => void restore(gone) })
    await libraryChanged()
    return true
  } catch (error) {
    toast(explain(error, t), 'trouble')
    return false
  }
}

async function restore(ids: string[]): Promise<void> {
  try {
    const outcomes = await data(api.POST('/songs/restore', { body: { ids } }))
    tellFailed(outcomes, 'manage.some')
    toast(t('manage.restored', outcomes.filter((one) => one.done).length))
    await libraryChanged()
  } catch (error) {
    toast(explain(error, t), 'trouble')
  }
}

/** Change songs, all alike or each in its own way. Returns how many were; throws its Problem. */
export async function change(edits: { id: string; changes: Record<string, unknown> }[]): Promise<number> {
  const outcomes = await data(api.POST('/songs/edits', { body: { edits: edits as Edits } }))
  tellFailed(outcomes, 'manage.some')
  await libraryChanged()
  return outcomes.filter((one) => one.done).length
}

/** Say how many failed, and why the first did. */
export function tellFailed(outcomes: readonly Outcome[], key: string): void {
  const failed = outcomes.filter((one) => !one.done)
  if (failed[0]) toast(t(key, { n: failed.length, why: failed[0].why }), 'trouble')
}

/** May whoever is logged in change songs? */
export const mayEdit = (): boolean => useSession().may('uploader')

function fits(songs: readonly Known[]): boolean {
  if (songs.length > AT_ONCE) toast(t('manage.tooMany', { n: AT_ONCE }), 'trouble')
  return songs.length > 0 && songs.length <= AT_ONCE
}
