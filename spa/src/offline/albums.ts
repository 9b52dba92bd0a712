/** What is kept on this device. */
import { computed } from 'vue'
import type { QueueSong } from '@/player/queue'
import { kept } from '@/shared/kept'

export interface KeptAlbum {
  id: string
  title: string
  artist: string
  bytes: number
  songs: QueueSong[]
}

export const albums = kept<KeptAlbum[]>('offline', [])
const ids = computed(() => new Set(albums.value.flatMap((album) => album.songs.map((song) => song.id))))
export const isKept = (song: string): boolean => ids.value.has(song)
