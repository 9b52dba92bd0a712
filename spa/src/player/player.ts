/** The player as the pages see it: the queue, the sound, and what is remembered of both. */
import { acceptHMRUpdate, defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { t } from '@/app/i18n'
import { useSession } from '@/auth/session'
import { isKept } from '@/offline/albums'
import { keptPath } from '@/offline/kept'
import { api, credentials, data, probe, ticketed, V1 } from '@/shared/http'
import { keep, kept, load } from '@/shared/kept'
import { nodes } from '@/shared/nodes'
import { asProblem } from '@/shared/problem'
import { toast } from '@/shared/toasts'
import { Engine, type Listener, type State } from './engine/engine'
import type { Track } from './engine/deck'
import type { GainMode } from './engine/gain'
import { PlainGraph, WebAudioGraph } from './engine/graph'
import { Listening } from './listening'
import { formatFor, type Kind } from './playable'
import * as mediaSession from './mediaSession'
import { played } from './plays'
import { Queue, type Entry, type QueueSong, type Repeat, type Saved } from './queue'
import { useSleep } from './sleep'

const AGAIN_S = 3 // "previous" later than this goes to the song's beginning
const KEEP_MS = 1_000
const RETRY_MS = 4_000
/** Songs that cannot be played are passed over, but not endlessly: with so many in a row it is not the songs. */
const PASSED_OVER = 10
/** A browser has bytes for longer, so a death that is noticed by then is not heard. */
const HEARTBEAT_MS = 5_000

/** Pixels of covers, as the API has them. */
const LARGE = 512

export type Pictured = 'songs' | 'albums' | 'artists'

export function coverUrl(
  thing: { id: string; has_cover: boolean },
  node = nodes.inOrder()[0] ?? nodes.home,
  of: Pictured = 'songs',
  size = LARGE,
): string {
  return thing.has_cover ? ticketed(node, `${V1}/${of}/${thing.id}/cover?size=${size}`) : ''
}

/** A song's fields that the queue keeps, of a whole song of the API. */
export function queueSong(song: QueueSong): QueueSong {
  const { id, title, artist, album, duration_s, has_cover, mime } = song
  const { track_gain_db, track_peak, album_gain_db, album_peak } = song
  return {
    id, title, artist, album, duration_s, has_cover, mime, ...(song.format ? { format: song.format } : {}),
    track_gain_db: track_gain_db ?? null, track_peak: track_peak ?? null,
    album_gain_db: album_gain_db ?? null, album_peak: album_peak ?? null,
  } // prettier-ignore
}

/** Asked of an element of its own: those that play are busy. */
const asked = typeof Audio === 'undefined' ? null : document.createElement('audio')

function trackOf(entry: Entry): Track {
  return { ...entry.song, uid: entry.uid }
}

/** Tries at home for one song: behind a router another node may answer there the next time. */
const TRIES = 3

function sourceOf(track: Track, tried: readonly string[]): string | null {
  const own = nodes.home + keptPath(track.id)
  if (isKept(track.id) && !tried.includes(own)) return own
  const origins = tried.filter((url) => url !== own).map((url) => new URL(url).origin)
  const again = origins.filter((origin) => origin === nodes.home).length < TRIES ? nodes.home : undefined
  const node = nodes.inOrder().find((other) => !origins.includes(other)) ?? again
  return node === undefined ? null : ticketed(node, streamPath(track))
}

/** Where a song's bytes are, or those of a format made of it where this browser cannot play the file. */
export function streamPath(track: { id: string } & Kind): string {
  const format = formatFor(track, (mime) => asked?.canPlayType(mime) ?? '')
  return `${V1}/songs/${track.id}/stream${format && `?format=${format}`}`
}

function downloadSong(id: string): void {
  location.assign(ticketed(nodes.inOrder()[0] ?? nodes.home, `${V1}/songs/${id}/download`))
}

function makeMedia(): HTMLAudioElement {
  const media = new Audio()
  media.crossOrigin = 'anonymous' // else Web Audio hears silence from other nodes
  return media
}

// eslint-disable-next-line max-lines-per-function -- a store is one function with many small ones in it
export const usePlayer = defineStore('player', () => {
  const entries = shallowRef<readonly Entry[]>([])
  const current = ref(-1)
  const shuffle = ref(false)
  const repeat = ref<Repeat>('off')
  const state = ref<State>('empty')
  const position_s = ref(0)
  const duration_s = ref(0)
  const buffered_s = ref(0)
  const volume = kept('volume', 0.8)
  const muted = kept('muted', false)
  const rate = ref(1)
  const crossfade_s = kept('crossfade', 0)
  const gainMode = kept<GainMode>('gain', 'track')
  const now = computed(() => entries.value[current.value]?.song ?? null)
  const playing = computed(() => state.value === 'playing' || state.value === 'loading')
  const listening = new Listening()
  let retry: ReturnType<typeof setTimeout> | undefined
  let passed = 0

  const queue = new Queue(() => {
    entries.value = queue.entries
    current.value = queue.current
    shuffle.value = queue.shuffle
    repeat.value = queue.repeat
    follow()
    keepSoon()
  })

  const listener: Listener = {
    state(now) {
      state.value = now
      if (now === 'playing') passed = 0
    },
    time(at, duration, buffered) {
      position_s.value = at
      duration_s.value = duration
      buffered_s.value = buffered
      keepSoon()
      if (state.value === 'playing' && listening.heard(at, duration) && now.value) played(now.value.id)
    },
    advanced() {
      if (sleep.atEnd.value) return fallAsleep()
      queue.next(false)
      begin(0)
    },
    ended() {
      if (sleep.atEnd.value) fallAsleep()
      begin(0) // played once more, it is a play of its own
      keepNow()
    },
    switched(from, to) {
      void probe(new URL(from).origin)
      toast(t('player.switched', { node: new URL(to).host }))
    },
    suspect: (url) => void (url && probe(new URL(url).origin)),
    failed: (track, code, wanted) => void failed(track, code, wanted),
    refused: () => toast(t('player.refused'), 'trouble'),
  }

  const engine = new Engine({
    media: makeMedia,
    graph: typeof AudioContext === 'undefined' ? new PlainGraph() : new WebAudioGraph(),
    source: sourceOf,
    listener,
  })
  const sleep = useSleep(
    (over_s) => engine.volume(0, over_s),
    () => fallAsleep(),
  )

  function fallAsleep(): void {
    sleep.set(null)
    pause()
    engine.volume(loudness.value)
    follow()
  }

  function follow(): void {
    const next = queue.following
    engine.follow(next && queue.now && !sleep.atEnd.value ? trackOf(next) : null)
  }

  function begin(at_s: number): void {
    listening.begin(at_s)
    position_s.value = buffered_s.value = at_s
    duration_s.value = now.value?.duration_s ?? 0
    mediaSession.show(now.value, now.value ? coverUrl(now.value) : '')
  }

  function forgetRetry(): void {
    clearTimeout(retry)
    retry = undefined
  }

  /** Open the queue's present song. */
  function open(play: boolean, at_s = 0): void {
    forgetRetry()
    begin(at_s)
    const entry = queue.now
    if (!entry) return engine.clear()
    engine.load(trackOf(entry), play, at_s)
    follow()
  }

  /** No node gave it: is it the song that cannot be played, or is nobody there, or has the ticket ended while the device slept? */
  async function failed(track: Track, code: number, wanted: boolean): Promise<void> {
    const at_s = position_s.value
    const { ticket } = credentials
    const mine = (retry = setTimeout(() => undefined)) // whatever is wished meanwhile takes its place, or ends it
    const known = await useSession().freshTicket()
      .then(() => data(api.GET('/songs/{id}', { params: { path: { id: track.id } } })))
      .catch(asProblem) // prettier-ignore
    if (queue.now?.uid !== track.uid || retry !== mine) return
    if (credentials.ticket !== ticket) return open(wanted, at_s)
    if (known instanceof Error && known.kind !== 'not-found') {
      toast(t('player.waiting'), 'trouble')
      retry = setTimeout(() => open(wanted, at_s), RETRY_MS)
      return
    }
    const title = queue.now.song.title
    if (code === 0) toast(t('player.silent', { title }), 'trouble')
    else toast(t('player.unplayable', { title }), 'trouble', { label: t('song.download'), run: () => downloadSong(track.id) })
    passed += 1
    if (wanted && queue.following && queue.repeat !== 'one' && passed < Math.min(queue.entries.length, PASSED_OVER)) next()
  }

  function playSongs(songs: readonly QueueSong[], at = 0): void {
    queue.set(songs.map(queueSong), at)
    open(true)
  }

  /** In the order in which another device plays them. */
  function goOn(songs: readonly QueueSong[], at: number, at_s: number): void {
    queue.set(songs.map(queueSong), at, true)
    open(true, at_s)
  }

  function add(songs: readonly QueueSong[], where: 'next' | 'end'): void {
    const idle = queue.now === null
    const taken = songs.map(queueSong)
    const fit = where === 'next' ? queue.addNext(taken) : queue.add(taken)
    if (idle) open(false)
    toast(fit < songs.length ? t('queue.full', { n: fit }) : t('queue.added', fit))
  }

  function play(): void {
    forgetRetry()
    if (state.value === 'empty') open(true)
    else engine.play()
  }

  function pause(): void {
    forgetRetry()
    engine.pause()
  }

  function toggle(): void {
    if (playing.value) pause()
    else play()
  }

  function next(): void {
    if (queue.next(true)) open(true)
  }

  function previous(): void {
    if (position_s.value > AGAIN_S) return seek(0)
    if (queue.previous()) open(true)
  }

  function jump(uid: number): void {
    if (queue.jump(uid)?.uid === uid) open(true)
  }

  function remove(uids: number[]): void {
    const before = queue.now?.uid
    const was = playing.value
    const goesOn = queue.remove(uids)
    if (queue.now?.uid !== before) open(was && goesOn)
  }

  function seek(at_s: number): void {
    engine.seek(at_s)
  }

  function clear(): void {
    queue.clear()
    open(false)
  }

  /** Whoever listens logs out: it is all put away, and waits for them. */
  function leave(): void {
    forgetRetry()
    keepNow()
    engine.clear()
    mediaSession.show(null, '')
  }

  /** The volume as it is heard, 0 to 1; whoever sets it hears it. */
  const loudness = computed({
    get: () => (muted.value ? 0 : volume.value),
    set: (value) => {
      muted.value = false
      volume.value = Math.max(0, Math.min(1, value))
    },
  })
  watch(loudness, (value) => engine.volume(value), { immediate: true })
  watch(rate, (value) => (engine.rate = value))
  watch(crossfade_s, (value) => (engine.crossfade_s = value), { immediate: true })
  watch(gainMode, (value) => engine.level(value), { immediate: true })
  watch(sleep.atEnd, follow)
  watch(sleep.until_ms, () => engine.volume(loudness.value)) // it may have begun to fade
  watch([state, duration_s, () => Math.floor(position_s.value / 5)], () =>
    mediaSession.showState(playing.value, position_s.value, duration_s.value, rate.value),
  )

  let keeping: ReturnType<typeof setTimeout> | undefined
  function keepSoon(): void {
    keeping ??= setTimeout(keepNow, KEEP_MS)
  }
  function keepNow(): void {
    clearTimeout(keeping)
    keeping = undefined
    if (kepting.entries !== queue.entries || kepting.current !== queue.current) keep('queue', queue.saved())
    kepting = { entries: queue.entries, current: queue.current }
    keep('position', { id: queue.now?.song.id, at_s: position_s.value })
  }
  let kepting: { entries: readonly Entry[]; current: number } = { entries: [], current: -2 }

  /** Take up what was left at the last visit. */
  function resume(): void {
    if (state.value !== 'empty') return
    if (queue.entries.length) return open(false, position_s.value) // whose login had ended, and is back
    const saved = load<Saved | null>('queue', null)
    const position = load<{ id?: string; at_s: number }>('position', { at_s: 0 })
    if (!saved?.entries.length) return
    queue.restore(saved)
    open(false, queue.now?.song.id === position.id ? position.at_s : 0)
  }

  /** What is kept on this device needs no node. */
  const isHere = (): boolean => engine.needs.startsWith(nodes.home + keptPath(''))
  setInterval(() => engine.needs && !isHere() && void probe(new URL(engine.needs).origin), HEARTBEAT_MS)
  nodes.onFailed((node) => !isHere() && engine.leave(node))
  addEventListener('pagehide', keepNow)
  mediaSession.connect({ play, pause, next, previous, seek,
    position: () => position_s.value, awake: () => useSession().user !== null }) // prettier-ignore

  return {
    entries, current, shuffle, repeat, state, position_s, duration_s, buffered_s, volume, muted, loudness, rate,
    crossfade_s, gainMode, now, playing, sleep, playSongs, goOn, add, pause, toggle, next, previous, jump, remove, seek, clear, leave, resume,
    move: queue.move.bind(queue), setShuffle: queue.setShuffle.bind(queue), setRepeat: queue.setRepeat.bind(queue),
  } // prettier-ignore
})

if (import.meta.hot) import.meta.hot.accept(acceptHMRUpdate(usePlayer, import.meta.hot))
