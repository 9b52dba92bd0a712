import { beforeEach, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import type { Problem } from '@/shared/problem'
import type { Arrived, Sending } from '@/shared/resumable'
import { handleOf } from './resumed'
import { cancel, forgetLeft, isOpen, mayRetry, pause, tidy, upload, uploads } from './uploads'

interface Listener {
  progress(sent: number): void
  stalled(why: Problem): void
}
/** What is on its way, by the name of the file: the test says how far it is. */
const { way } = vi.hoisted(() => ({ way: new Map<string, Listener & { arrive(song: Arrived): void }>() }))
vi.mock('@/shared/resumable', () => ({
  async sendResumable(file: File, listener: Listener): Promise<Sending> {
    const answer = new Promise<Arrived>((arrive) => way.set(file.name, { ...listener, arrive }))
    return { answer, pause: () => undefined, resume: () => undefined, cancel: () => undefined }
  },
}))
vi.stubGlobal('fetch', async () => new Response('{}', { status: 404 }))

/** Its first byte is read; jsdom's own files cannot be. */
const song = (name: string, read = async (): Promise<ArrayBuffer> => new ArrayBuffer(1)): File =>
  Object.assign(new File(['0123456789'], name), { slice: () => ({ arrayBuffer: read }) as unknown as Blob })
const stages = (): string[] => uploads.map((one) => one.stage)
const isAsked = (): boolean => !dispatchEvent(new Event('beforeunload', { cancelable: true }))
async function sent(...files: File[]): Promise<void> {
  upload({ files, unread: [] })
  await vi.waitFor(() => files.forEach(({ name }) => expect(way.has(name)).toBe(true)))
}

beforeEach(async () => {
  for (const one of uploads.filter(isOpen)) cancel(one.id)
  tidy()
  forgetLeft()
  way.clear()
  await nextTick()
})

it('names what could not be read, and does not pretend that it can be tried again', () => {
  const why = { kind: 'unreadable' } as never
  upload({ files: [], unread: [{ name: 'theirs.mp3', why }] })
  expect(uploads).toMatchObject([{ name: 'theirs.mp3', stage: 'refused', problem: why }])
  expect(mayRetry(uploads[0]!)).toBe(false)
})

it('tells a file that cannot be read from a node that does not answer', async () => {
  const locked = async (): Promise<never> => {
    throw new DOMException('', 'NotReadableError')
  }
  await sent(song('locked.mp3', locked), song('sent.mp3'))
  for (const { stalled } of way.values()) stalled({ kind: 'offline' } as Problem)
  await vi.waitFor(() => expect(stages()).toEqual(['refused', 'sending']))
  expect(uploads.map((one) => one.problem?.kind)).toEqual(['unreadable', 'offline'])
  expect(mayRetry(uploads[0]!)).toBe(true)
})

it('says cancelled only of what cannot become a song any more', async () => {
  await sent(song('half.mp3'), song('whole.mp3'))
  way.get('half.mp3')?.progress(5)
  way.get('whole.mp3')?.progress(10)
  expect(stages()).toEqual(['sending', 'storing'])
  for (const one of uploads) cancel(one.id)
  expect(stages()).toEqual(['cancelled', 'late'])
  expect(uploads.map(mayRetry)).toEqual([true, true])
})

it('asks before one leaves while files are sent that would have to be chosen again', async () => {
  expect(isAsked()).toBe(false)
  await sent(song('chosen.mp3'))
  expect(isAsked()).toBe(true)
  pause(uploads[0]!.id)
  await nextTick()
  expect(isAsked()).toBe(false)
})

it('lets one leave when nothing is lost by it', async () => {
  await sent(handleOf(song('dropped.mp3'), {} as FileSystemFileHandle))
  expect(isAsked()).toBe(false)
  await sent(song('chosen.mp3'))
  expect(isAsked()).toBe(true)
  for (const { arrive } of way.values()) arrive({ id: '5e', fresh: true })
  await vi.waitFor(() => expect(stages()).toEqual(['added', 'added']))
  expect(isAsked()).toBe(false)
})
