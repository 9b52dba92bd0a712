/** What can be done with songs: the one list for menus, long presses and selections. */
import { Disc3, Download, FilePen, Info, ListEnd, ListPlus, ListStart, MicVocal, Play, Star, StarOff } from '@lucide/vue'
import { useRouter } from 'vue-router'
import { t } from '@/app/i18n'
import { manageItems } from '@/manage/songMenu'
import { usePlayer } from '@/player/player'
import type { QueueSong } from '@/player/queue'
import { api, data, living, ticketed, V1 } from '@/shared/http'
import { explain } from '@/shared/problem'
import { toast } from '@/shared/toasts'
import type { Item } from '@/shared/ui/menu'
import { addToPlaylist } from './playlists'
import { useStars } from './stars'
import { albumPath, artistPath } from './whereabouts'

/** Their ids stand in an address, which a proxy lets pass up to some length. */
const ZIP_LIMIT = 200

function pathOf(songs: readonly { id: string }[]): string {
  return songs.length === 1 ? `/songs/${songs[0]?.id}/download` : `/songs/download?ids=${songs.map((song) => song.id).join(',')}`
}

/** Have the browser save what an address gives. */
export function save(url: string, name = ''): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

/** The same from a path of the API, at a node that answers. A playlist may be one's own alone: it has its own ticket. */
async function download(path: string): Promise<void> {
  const playlist = /^\/playlists\/(\w+)\//.exec(path)?.[1]
  try {
    const made = playlist ? await data(api.POST('/me/ticket', { params: { query: { playlist } } })) : undefined
    save(ticketed(await living(), V1 + path, made?.ticket))
  } catch (problem) {
    toast(explain(problem, t), 'trouble')
  }
}

/** Files as they were uploaded, or with what was edited since in their tags. */
export const downloadItems = (path: string, label: string): Item[] => [
  { label, icon: Download, run: () => download(path) },
  { label: t('song.downloadEdited'), icon: FilePen, run: () => download(`${path}${path.includes('?') ? '&' : '?'}tags=edited`) },
]

export type SongMenu = ReturnType<typeof useSongMenu>

export function useSongMenu() {
  const router = useRouter()
  const player = usePlayer()
  const stars = useStars('song')

  async function go(path: Promise<string>): Promise<void> {
    try {
      await router.push(await path)
    } catch (problem) {
      toast(explain(problem, t), 'trouble')
    }
  }

  /** `play` begins at the first of them, in its list; `more` stands at the end. */
  return (songs: readonly QueueSong[], play: () => unknown, more: Item[] = []): Item[] => {
    const ids = songs.map((song) => song.id)
    const all = ids.every(stars.has)
    const [one] = songs
    const single: Item[] = one && songs.length === 1
      ? [
          ...(one.album ? [{ label: t('song.toAlbum'), icon: Disc3, run: () => go(albumPath(one)) }] : []),
          ...(one.artist ? [{ label: t('song.toArtist'), icon: MicVocal, run: () => go(artistPath(one.artist)) }] : []),
          { label: t('song.details'), icon: Info, run: () => router.push(`/songs/${one.id}`) },
        ]
      : []
    const items: Item[] = [
      { label: t('song.play'), icon: Play, run: play },
      { label: t('song.playNext'), icon: ListStart, run: () => player.add(songs, 'next') },
      { label: t('song.enqueue'), icon: ListEnd, run: () => player.add(songs, 'end') },
      { label: t('playlist.addTo'), icon: ListPlus, run: () => addToPlaylist(ids) },
      { label: t(all ? 'stars.remove' : 'stars.add'), icon: all ? StarOff : Star, run: () => stars.star(ids, !all) },
      ...single,
      ...(songs.length <= ZIP_LIMIT ? downloadItems(pathOf(songs), t('song.download')) : []),
      ...manageItems(() => songs),
      ...more,
    ]
    return [...items.filter((item) => !item.trouble), ...items.filter((item) => item.trouble)]
  }
}
