import { expect, it } from 'vitest'
import { formatFor } from './playable'

const chromium = (mime: string): string => (/alac|wavpack|ape|aiff|wma|tta/.test(mime) ? '' : 'probably')
const safari = (mime: string): string => (/ogg|wavpack|ape|wma/.test(mime) ? '' : 'maybe')

it('takes the file itself where the browser can', () => {
  expect(formatFor({ mime: 'audio/flac', format: 'flac' }, chromium)).toBe('')
  expect(formatFor({ mime: 'audio/mp4', format: 'alac' }, safari)).toBe('')
  expect(formatFor({}, chromium)).toBe('')
})

it('asks for the best format that the browser plays', () => {
  expect(formatFor({ mime: 'audio/mp4', format: 'alac' }, chromium)).toBe('opus')
  expect(formatFor({ mime: 'audio/x-wavpack', format: 'wavpack' }, chromium)).toBe('opus')
  expect(formatFor({ mime: 'audio/x-wavpack', format: 'wavpack' }, safari)).toBe('aac')
})
