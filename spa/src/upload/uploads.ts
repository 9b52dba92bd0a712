/** Files on their way into the library: some at a time, each with its progress and its end. */
import { computed, reactive, ref, watch } from 'vue'
import { t } from '@/app/i18n'
import { api, data } from '@/shared/http'
import { asProblem, unreadable, type Problem } from '@/shared/problem'
import { sendResumable, type Arrived, type Sending } from '@/shared/resumable'
import { toast } from '@/shared/toasts'
import type { Dropped } from './dropped'
import { Pace } from './pace'
import { interrupted, remember, unkept } from './resumed'

export type Stage = 'waiting' | 'sending' | 'paused' | 'storing' | 'added' | 'known' | 'refused' | 'cancelled' | 'late'

export interface Upload {
  id: number
  name: string
  size: number
  sent: number
  stage: Stage
  /** Why it was refused, or why it waits. */
  problem: Problem | null
  song: { id: string; title: string } | null
}

const NEW = { size: 0, sent: 0, stage: 'waiting', problem: null, song: null } as const
const AT_ONCE = 3
/** What people drop with a folder but never mean. */
const AUDIO = /\.(aac|aif|aifc|aiff|alac|ape|dff|dsf|flac|m4a|m4b|mka|mp2|mp3|mp4|mpc|oga|ogg|opus|spx|tta|wav|weba|wma|wv)$/i

export const uploads = reactive<Upload[]>([])
/** What a reload interrupted, and has not been given again. */
export const left = ref(interrupted())
export const speed = ref({ bytes_per_s: 0, left_s: null as number | null })
const pace = new Pace()
const files = new Map<number, File>()
const sendings = new Map<number, Sending>()
const listeners = new Set<() => void>()
let ids = 0

/** Called whenever a song is new in the library. */
export function onAdded(listener: () => void): void {
  listeners.add(listener)
}

/** Take files up. What is no music is left aside; what could not be read is named. */
export function upload({ files: given, unread }: Dropped): void {
  for (const { name, why } of unread) uploads.push({ ...NEW, id: ++ids, name, stage: 'refused', problem: why })
  const music = given.filter((file) => AUDIO.test(file.name) || file.type.startsWith('audio/'))
  for (const file of music) {
    const id = ++ids
    files.set(id, file)
    uploads.push({ ...NEW, id, name: file.name, size: file.size })
  }
  left.value = left.value.filter((one) => !music.some((file) => file.name === one.name && file.size === one.size))
  pump()
  const aside = given.length - music.length
  if (aside) toast(t('upload.aside', aside))
  if (unread.length) toast(t('upload.unread', unread.length), 'trouble')
}

/** Give up what a reload interrupted. */
export function forgetLeft(): void {
  left.value = []
  note()
}

export const isOpen = (one: Upload): boolean => ['waiting', 'sending', 'paused', 'storing'].includes(one.stage)
const isGivenUp = (one: Upload): boolean => one.stage === 'cancelled' || one.stage === 'late'
const isOnItsWay = (one: Upload): boolean => one.stage === 'sending' || one.stage === 'storing'
const find = (id: number): Upload | undefined => uploads.find((one) => one.id === id)

/** Once all of it was sent, nobody here knows whether it becomes a song: then it is `late`. */
export function cancel(id: number): void {
  const one = find(id)
  if (!one || !isOpen(one)) return
  one.stage = one.stage === 'storing' ? 'late' : 'cancelled'
  sendings.get(id)?.cancel()
  sendings.delete(id)
  pump()
}

export function pause(id: number): void {
  const one = find(id)
  if (!one || !['waiting', 'sending'].includes(one.stage)) return
  one.stage = 'paused'
  sendings.get(id)?.pause()
  pump()
}

export function resume(id: number): void {
  const one = find(id)
  if (one?.stage !== 'paused') return
  one.stage = 'waiting'
  pump()
}

/** Is it over, and can be sent again? */
export const mayRetry = (one: Upload): boolean => !isOpen(one) && files.has(one.id)

export function retry(id: number): void {
  const one = find(id)
  if (!one || !mayRetry(one)) return
  Object.assign(one, { stage: 'waiting', sent: 0, problem: null })
  pump()
}

/** Take those that came to an end off the list. */
export function tidy(): void {
  for (const one of uploads) if (!isOpen(one)) files.delete(one.id)
  uploads.splice(0, uploads.length, ...uploads.filter(isOpen))
}

export const progress = computed(() => {
  const wanted = uploads.filter((one) => !isGivenUp(one))
  const total = wanted.reduce((sum, one) => sum + one.size, 0)
  const sent = wanted.reduce((sum, one) => sum + (isOpen(one) ? one.sent : one.size), 0)
  return { open: uploads.filter(isOpen).length, share: total ? sent / total : 0, todo_bytes: total - sent, total }
})

function pump(): void {
  const busy = uploads.filter(isOnItsWay).length
  for (const one of uploads.filter((other) => other.stage === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))) void run(one)
  note()
}

const openFiles = (): File[] => uploads.filter(isOpen).flatMap((one) => files.get(one.id) ?? [])

/** For the next visit. */
function note(): void {
  void remember([...openFiles(), ...(left.value as File[])])
}

/** The node keeps what has arrived: by leaving one loses no bytes, but files that would have to be found and chosen again. */
function ask(event: BeforeUnloadEvent): void {
  if (unkept(openFiles()).length) event.preventDefault()
}
// Only while it may be needed: with it, browsers keep no page for the way back.
watch(
  () => uploads.some(isOnItsWay),
  (is) => (is ? addEventListener : removeEventListener)('beforeunload', ask),
)

async function run(one: Upload): Promise<void> {
  one.stage = 'sending'
  one.problem = null
  const before = sendings.get(one.id)
  if (before) return before.resume()
  const file = files.get(one.id)
  if (!file) return
  try {
    const sending = await sendResumable(file, { progress: (sent) => moved(one, sent), stalled: (why) => void stalled(one, file, why) })
    sendings.set(one.id, sending)
    if (one.stage !== 'sending') sending[(one.stage as Stage) === 'cancelled' ? 'cancel' : 'pause']()
    await ended(one, await sending.answer)
  } catch (error) {
    Object.assign(one, { stage: 'refused', problem: asProblem(error) })
  }
  sendings.delete(one.id)
  pump()
}

/** A file that the device does not give any more fails as a lost connection does; trying on would be in vain. */
async function stalled(one: Upload, file: File, why: Problem): Promise<void> {
  one.problem = why
  const unread = await file.slice(0, 1).arrayBuffer().then(() => null, unreadable)
  if (!unread || !isOnItsWay(one)) return
  Object.assign(one, { stage: 'refused', problem: unread })
  sendings.get(one.id)?.pause()
  sendings.delete(one.id)
  pump()
}

function moved(one: Upload, sent: number): void {
  one.sent = sent
  one.problem = null
  if (isOnItsWay(one)) one.stage = sent >= one.size ? 'storing' : 'sending' // begun anew, perhaps
  pace.note(uploads.reduce((sum, other) => sum + (isGivenUp(other) ? 0 : other.sent), 0), Date.now())
  speed.value = { bytes_per_s: pace.bytes_per_s, left_s: pace.left_s(progress.value.todo_bytes) }
}

async function ended(one: Upload, song: Arrived): Promise<void> {
  one.stage = song.fresh ? 'added' : 'known'
  files.delete(one.id)
  const known = await data(api.GET('/songs/{id}', { params: { path: { id: song.id } } })).catch(() => null)
  one.song = { id: song.id, title: known ? [known.artist, known.title].filter(Boolean).join(' – ') : one.name }
  if (song.fresh) for (const listener of listeners) listener()
}
