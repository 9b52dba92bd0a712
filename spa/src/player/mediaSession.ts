/** The system's own controls: keys on the keyboard, headphones, the lock screen. */
import type { QueueSong } from './queue'

export interface Controls {
  play(): void
  pause(): void
  next(): void
  previous(): void
  seek(at_s: number): void
  position(): number
  /** Is anybody there? The keys work with no page to be seen, also where somebody has just logged out. */
  awake(): boolean
}

const STEP_S = 10

export function connect(controls: Controls): void {
  const session = navigator.mediaSession as MediaSession | undefined
  if (!session) return
  const step = (details: MediaSessionActionDetails, sign: number): void =>
    controls.seek(controls.position() + sign * (details.seekOffset ?? STEP_S))
  const actions: [MediaSessionAction, MediaSessionActionHandler][] = [
    ['play', () => controls.play()],
    ['pause', () => controls.pause()],
    ['nexttrack', () => controls.next()],
    ['previoustrack', () => controls.previous()],
    ['seekbackward', (details) => step(details, -1)],
    ['seekforward', (details) => step(details, 1)],
    ['seekto', (details) => controls.seek(details.seekTime ?? 0)],
  ]
  for (const [action, handler] of actions) {
    try {
      session.setActionHandler(action, (details) => void (controls.awake() && handler(details)))
    } catch {
      // A browser that does not know this one.
    }
  }
}

export function show(song: QueueSong | null, cover: string): void {
  if (!('mediaSession' in navigator)) return
  const artwork = cover ? [{ src: cover, sizes: '512x512' }] : []
  navigator.mediaSession.metadata = song
    ? new MediaMetadata({ title: song.title, artist: song.artist, album: song.album, artwork })
    : null
}

export function showState(playing: boolean, position: number, duration: number, playbackRate: number): void {
  if (!('mediaSession' in navigator)) return
  navigator.mediaSession.playbackState = playing ? 'playing' : 'paused'
  if (duration > 0 && position <= duration)
    navigator.mediaSession.setPositionState({ duration, position, playbackRate })
}
