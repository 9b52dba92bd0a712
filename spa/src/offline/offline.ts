/** Albums that are kept on this device, whole, to be heard without a network. `worker.ts` gives their bytes out. */
import { reactive, ref } from 'vue'
import { t } from '@/app/i18n'
import { KEPT, keptPath } from '@/offline/kept'
import { queueSong, streamPath } from '@/player/player'
import type { QueueSong } from '@/player/queue'
import { whole } from '@/shared/http'
import { explain } from '@/shared/problem'
import { toast } from '@/shared/toasts'
import { albums, type KeptAlbum } from './albums'

/** Ids of albums that are on their way, and how many of their songs are here. */
export const coming = reactive(new Map<string, number>())
/** Not without HTTPS, and not before the worker is there. */
const isAble = (): boolean => typeof caches !== 'undefined' && !!navigator.serviceWorker?.controller
export const able = ref(isAble())
navigator.serviceWorker?.addEventListener('controllerchange', () => (able.value = isAble()))

export async function keepAlbum(album: { id: string; title: string; artist: string }, songs: readonly QueueSong[]): Promise<void> {
  if (!able.value || coming.has(album.id)) return
  coming.set(album.id, 0)
  try {
    await navigator.storage.persist().catch(() => false)
    const cache = await caches.open(KEPT)
    let bytes = 0
    for (const [n, song] of songs.entries()) {
      // Only a whole file is kept: a part of one would be taken for it.
      const answer = await whole(streamPath(song))
      bytes += Number(answer.headers.get('Content-Length') ?? 0)
      await cache.put(keptPath(song.id), answer)
      coming.set(album.id, n + 1)
    }
    const { id, title, artist } = album
    const kept: KeptAlbum = { id, title, artist, bytes, songs: songs.map(queueSong) }
    albums.value = [...albums.value.filter((other) => other.id !== id), kept]
    toast(t('offline.done', { title }))
  } catch (error) {
    toast(explain(error, t), 'trouble')
  } finally {
    coming.delete(album.id)
    await sweep()
  }
}

export async function dropAlbum(id: string): Promise<void> {
  const album = albums.value.find((one) => one.id === id)
  albums.value = albums.value.filter((one) => one.id !== id)
  await sweep()
  if (album) toast(t('offline.gone', { title: album.title }))
}

/** Remove what belongs to no kept album: also what a failure or a full disk left. */
async function sweep(): Promise<void> {
  if (coming.size) return
  const wanted = new Set(albums.value.flatMap((album) => album.songs.map((song) => keptPath(song.id))))
  const cache = await caches.open(KEPT)
  for (const request of await cache.keys()) if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request)
}
