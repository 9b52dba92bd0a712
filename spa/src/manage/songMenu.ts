/** The part of a song's menu that looks after it. */
import { Pencil, Trash2 } from '@lucide/vue'
import { t } from '@/app/i18n'
import type { Item } from '@/shared/ui/menu'
import { deleteSongs, editTags, mayEdit } from './manage'

/** What whoever is logged in can do to these songs. */
export function manageItems(songs: () => readonly { id: string; title: string }[]): Item[] {
  if (!mayEdit()) return []
  return [
    { label: t('manage.edit'), icon: Pencil, run: () => editTags(songs()) },
    { label: t('manage.delete'), icon: Trash2, trouble: true, run: () => deleteSongs(songs()) },
  ]
}
