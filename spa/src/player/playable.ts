/** Which bytes of a song a browser can play: the file itself, or a format that nodes make of it. Knows no DOM. */

export interface Kind {
  mime?: string
  format?: string
}

/** What browsers are asked for formats whose media type says too little: ALAC in an MP4 looks like AAC. */
const ASKED: Record<string, string> = { alac: 'audio/mp4; codecs="alac"' }
/** What nodes can make, the best first, and as what a browser takes it. */
const MADE: Record<string, string> = { opus: 'audio/ogg; codecs="opus"', aac: 'audio/mp4; codecs="mp4a.40.2"', mp3: 'audio/mpeg' }

/**
 * The name of the format to ask for, empty for the file itself.
 * @param can what `canPlayType` of an audio element answers
 */
export function formatFor(song: Kind, can: (mime: string) => string): string {
  const asked = ASKED[song.format ?? ''] ?? song.mime ?? ''
  if (!asked || asked === 'application/octet-stream' || can(asked)) return ''
  return Object.keys(MADE).find((name) => can(MADE[name] ?? '')) ?? ''
}
