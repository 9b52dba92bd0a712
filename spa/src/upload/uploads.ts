/** Files on their way into the library: some at a time, each with its progress and its end. */
import { computed, reactive } from 'vue'
import { sendFile, V1, type Sending } from '@/shared/http'
import { asProblem, type Problem } from '@/shared/problem'

export type Stage = 'waiting' | 'sending' | 'storing' | 'added' | 'known' | 'refused' | 'cancelled'

export interface Upload {
  id: number
  name: string
  size: number
  sent: number
  stage: Stage
  problem: Problem | null
  song: { id: string; title: string } | null
}

const AT_ONCE = 3
const AGAIN_MS = 3_000
const TRIES = 5
/** What people drop with a folder but never mean. */
const AUDIO = /\.(aac|aif|aiff|alac|ape|dsf|flac|m4a|m4b|mka|mp2|mp3|mpc|oga|ogg|opus|tta|wav|weba|wma|wv)$/i

export const uploads = reactive<Upload[]>([])
const files = new Map<number, File>()
const sendings = new Map<number, Sending>()
const listeners = new Set<() => void>()
let ids = 0

/** Called whenever a song is new in the library. */
export function onAdded(listener: () => void): void {
  listeners.add(listener)
}

/** Take files up. Returns how many were left aside because they are no music. */
export function upload(given: readonly File[]): number {
  const music = given.filter((file) => AUDIO.test(file.name) || file.type.startsWith('audio/'))
  for (const file of music) {
    const id = ++ids
    files.set(id, file)
    uploads.push({ id, name: file.name, size: file.size, sent: 0, stage: 'waiting', problem: null, song: null })
  }
  pump()
  return given.length - music.length
}

export function cancel(id: number): void {
  const one = uploads.find((other) => other.id === id)
  sendings.get(id)?.cancel()
  if (one && ['waiting', 'sending', 'storing'].includes(one.stage)) one.stage = 'cancelled'
  pump()
}

export function retry(id: number): void {
  const one = uploads.find((other) => other.id === id)
  if (!one || !files.has(id)) return
  Object.assign(one, { stage: 'waiting', sent: 0, problem: null })
  pump()
}

/** Take those that came to an end off the list. */
export function tidy(): void {
  const left = uploads.filter((one) => isOpen(one))
  for (const one of uploads) if (!isOpen(one)) files.delete(one.id)
  uploads.splice(0, uploads.length, ...left)
}

export const isOpen = (one: Upload): boolean => ['waiting', 'sending', 'storing'].includes(one.stage)

export const progress = computed(() => {
  const total = uploads.reduce((sum, one) => sum + one.size, 0)
  const sent = uploads.reduce((sum, one) => sum + (isOpen(one) ? one.sent : one.size), 0)
  return { open: uploads.filter(isOpen).length, share: total ? sent / total : 0 }
})

function pump(): void {
  const busy = uploads.filter((one) => one.stage === 'sending' || one.stage === 'storing').length
  for (const one of uploads.filter((other) => other.stage === 'waiting').slice(0, AT_ONCE - busy)) void run(one)
}

async function run(one: Upload): Promise<void> {
  const file = files.get(one.id)
  if (!file) return
  one.stage = 'sending'
  for (let tries = 1; isOpen(one); tries++) {
    try {
      const { status, body } = await transfer(one, file)
      one.song = body as Upload['song']
      one.stage = status === 201 ? 'added' : 'known'
      files.delete(one.id)
      if (status === 201) for (const listener of listeners) listener()
    } catch (error) {
      if (error instanceof DOMException) break // cancelled
      one.problem = asProblem(error)
      if (!one.problem.passing || tries === TRIES) one.stage = 'refused'
      else await new Promise((done) => setTimeout(done, AGAIN_MS * tries))
    }
  }
  pump()
}

async function transfer(one: Upload, file: File): Promise<{ status: number; body: unknown }> {
  const sending = sendFile(`${V1}/songs?filename=${encodeURIComponent(file.name)}`, file, (sent) => {
    one.sent = Math.min(sent, one.size)
    if (sent >= one.size && one.stage === 'sending') one.stage = 'storing'
  })
  one.stage = 'sending'
  sendings.set(one.id, sending)
  try {
    return await sending.answer
  } finally {
    sendings.delete(one.id)
  }
}

/** All files of what was dropped, folders opened. */
export async function dropped(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  return (await Promise.all(entries.map(filesOf))).flat()
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (!some.length) break
    found.push(...some)
  }
  return (await Promise.all(found.map(filesOf))).flat()
}
