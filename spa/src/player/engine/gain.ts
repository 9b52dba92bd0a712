/** ReplayGain: songs of one loudness. https://wiki.hydrogenaud.io/index.php?title=ReplayGain_2.0_specification */

export type GainMode = 'off' | 'track' | 'album'

export interface Gains {
  track_gain_db?: number | null | undefined
  track_peak?: number | null | undefined
  album_gain_db?: number | null | undefined
  album_peak?: number | null | undefined
}

const LOUDEST = 4 // 12 dB: a wrong tag must not hurt

/** The factor for a song's samples: never one that would clip its peak. 1 where the song has no tags. */
export function replayGain(gains: Gains, mode: GainMode): number {
  if (mode === 'off') return 1
  const [first, second] = mode === 'album' ? (['album', 'track'] as const) : (['track', 'album'] as const)
  const kind = gains[`${first}_gain_db`] == null ? second : first
  const db = gains[`${kind}_gain_db`]
  if (db == null) return 1
  const peak = gains[`${kind}_peak`]
  const factor = Math.min(LOUDEST, 10 ** (db / 20))
  return peak ? Math.min(factor, Math.max(1 / peak, Math.min(1, factor))) : factor
}
