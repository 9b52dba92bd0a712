/** The queue goes with its listener: what one device plays is told to the ring, and another may go on with it. */
import { useEventListener, useIntervalFn } from '@vueuse/core'
import { watch } from 'vue'
import { t } from '@/app/i18n'
import { api, data } from '@/shared/http'
import { load, keep } from '@/shared/kept'
import { settled } from '@/shared/later'
import { explain } from '@/shared/problem'
import { songsOf } from '@/shared/songs'
import { toast } from '@/shared/toasts'
import { usePlayer } from './player'

/** Of a long queue, this much around the present song goes to other devices, as the API takes it. */
const MOST = { before: 200, all: 2_000 }
const SOON_MS = 3_000
const PLACE_MS = 10_000

/** What lies around an index, and which index that is then. */
export function around<T>(items: readonly T[], index: number, limit: { before: number; all: number }): { items: T[]; index: number } {
  const from = Math.max(0, index - limit.before)
  return { items: items.slice(from, from + limit.all), index: Math.max(0, index - from) }
}

interface Told {
  songs: readonly string[]
  index: number
}

/** The songs of a queue that are still in the library, and which of them is the present one; null if that is gone. */
export async function opened({ songs: ids, index }: Told): Promise<{ songs: Awaited<ReturnType<typeof songsOf>>; at: number } | null> {
  const songs = await songsOf(ids)
  const here = new Set(songs.map((song) => song.id))
  const present = ids[index]
  return present !== undefined && here.has(present) ? { songs, at: ids.slice(0, index).filter((id) => here.has(id)).length } : null
}

/** What this browser calls itself. */
export function deviceName(agent: string, token: string): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser'
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux'].find((name) => agent.includes(name)) ?? ''
  return [browser, system, token].filter(Boolean).join(' · ')
}

function thisDevice(): string {
  const known = load('device', '')
  if (known) return known
  const made = deviceName(navigator.userAgent, Math.random().toString(36).slice(2, 5))
  keep('device', made)
  return made
}

export function useAcross(): void {
  const player = usePlayer()
  const device = thisDevice()
  let offered = ''
  let telling: ReturnType<typeof setTimeout> | undefined

  /** Nothing is told before something was played here: opening a page takes the queue from nobody. */
  async function tell(): Promise<void> {
    clearTimeout(telling)
    telling = undefined
    const { items, index } = around(player.entries.map((entry) => entry.song.id), player.current, MOST)
    const body = { songs: items, index, position_s: player.position_s, device }
    const kept = await data(api.PUT('/me/queue', { body })).catch(() => null)
    if (kept) keep('queueAt', kept.updated_at)
  }
  async function tellPlace(): Promise<void> {
    if (telling || !player.playing) return
    const { index } = around(player.entries, player.current, MOST)
    const kept = await data(api.PATCH('/me/queue', { body: { index, position_s: player.position_s, device } })).catch(() => null)
    if (kept) keep('queueAt', kept.updated_at)
  }
  watch([() => player.entries, () => player.current, () => player.playing], () => {
    if (player.playing) telling ??= setTimeout(() => void tell(), SOON_MS)
    else if (player.state === 'paused') void tellHere('')
  })
  watch([() => player.now?.id, () => player.state === 'playing'], ([id, playing]) => playing && void tellHere(id ?? ''))
  const tellHere = (song: string): Promise<unknown> => data(api.PUT('/me/now-playing', { body: { song, device } })).catch(() => null)
  useIntervalFn(() => void tellPlace(), PLACE_MS)

  /** Is there a newer queue of another device? */
  async function look(): Promise<void> {
    if (player.playing) return
    const queue = await data(api.GET('/me/queue')).catch(() => null)
    const id = queue?.songs[queue.index]
    if (!queue || !id || queue.device === device || queue.updated_at <= load('queueAt', '') || queue.updated_at === offered) return
    offered = queue.updated_at
    const song = await data(api.GET('/songs/{id}', { params: { path: { id } } })).catch(() => null)
    if (!song || player.playing) return
    toast(t('across.offer', { title: song.title, device: queue.device || t('across.other') }), 'news', {
      label: t('across.goOn'),
      run: () => void goOn(queue),
    })
  }
  async function goOn(queue: Told & { position_s: number; updated_at: string }): Promise<void> {
    try {
      const found = await opened(queue)
      if (!found) return
      player.goOn(found.songs, found.at, queue.position_s)
      keep('queueAt', queue.updated_at)
      if (queue.songs.length === MOST.all) toast(t('across.most', { n: found.songs.length }))
    } catch (problem) {
      toast(explain(problem, t), 'trouble')
    }
  }
  void settled.then(look)
  useEventListener(document, 'visibilitychange', () => document.visibilityState === 'visible' && void look())
}
