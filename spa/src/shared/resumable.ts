/**
 * Files to the API by tus 1.0, beside `http.ts` the only place that asks it. What has arrived is kept by the node: after a
 * lost connection, a reload or the node's restart the rest is sent, not the whole again.
 */
import type { DetailedError, Upload } from 'tus-js-client'
import { credentials, living, probe, V1 } from './http'
import { nodes } from './nodes'
import { asProblem, problemOf, type Problem } from './problem'

const SECOND_MS = 1_000
/** From one second to a quarter of a minute: ten minutes in all without a byte, longer than any restart. */
const PATIENCE_MS = [1, 2, 4, 8, ...Array<number>(40).fill(15)].map((s) => s * SECOND_MS)
/** Tries after which an upload is begun anew at another node, if its own is down while others answer: half a minute. */
const LOYAL = 4
/** Smaller files are sent with the request that begins the upload: one instead of two. */
const SMALL_BYTES = 2_000_000

export interface Arrived {
  id: string
  /** Was it not in the library before? */
  fresh: boolean
}

export interface Sending {
  /** Rejects with a Problem; never, if it is paused or cancelled. */
  answer: Promise<Arrived>
  pause(): void
  resume(): void
  cancel(): void
}

interface Listener {
  progress(sent_bytes: number): void
  /** It waits, for this reason, and goes on by itself. */
  stalled(why: Problem): void
}

/** May the same request succeed later? */
export function isPassing(status: number): boolean {
  return [0, 409, 423, 429, 502, 503, 504].includes(status)
}

/** What went wrong, by the answer if there was one. */
export function problemIn(error: Error | DetailedError): Problem {
  const answer = 'originalResponse' in error ? error.originalResponse : null
  if (!answer) return 'originalRequest' in error ? asProblem(new TypeError()) : asProblem(error)
  try {
    return problemOf(answer.getStatus(), JSON.parse(answer.getBody()))
  } catch {
    return problemOf(answer.getStatus(), null)
  }
}

export async function sendResumable(file: File, listener: Listener): Promise<Sending> {
  const tus = await import('tus-js-client')
  const [answer, done, failed] = promised<Arrived>()
  let node = await living()
  /** Is the node with what it has gone for so long that another should take the file, from the beginning? */
  const isGone = ({ kind }: Problem, tries = LOYAL): boolean =>
    tries >= LOYAL && (kind === 'peer-down' || (kind === 'offline' && nodes.inOrder()[0] !== node))
  const upload: Upload = new tus.Upload(file, {
    endpoint: endpoint(node),
    metadata: { filename: file.name },
    retryDelays: PATIENCE_MS,
    removeFingerprintOnSuccess: true,
    uploadDataDuringCreation: file.size < SMALL_BYTES,
    onBeforeRequest: (request) => request.setHeader('Authorization', `Bearer ${credentials.token}`),
    onProgress: listener.progress,
    onShouldRetry: (error, tries) => {
      const problem = problemIn(error)
      if (!isPassing(problem.status) || isGone(problem, tries)) return false
      if (problem.kind === 'offline') void probe(node)
      listener.stalled(problem)
      return true
    },
    onError: async (error) => {
      const problem = problemIn(error)
      if (!isGone(problem)) return failed(problem)
      node = await living()
      upload.url = null
      upload.options.endpoint = endpoint(node)
      upload.start()
    },
    onSuccess: ({ lastResponse: last }) => {
      done({ id: last.getHeader('Upload-Song') ?? '', fresh: last.getHeader('Upload-New') === 'true' })
    },
  })
  const before = await upload.findPreviousUploads()
  const latest = before.sort((a, b) => Date.parse(b.creationTime) - Date.parse(a.creationTime))[0]
  if (latest) upload.resumeFromPreviousUpload(latest)
  upload.start()
  return {
    answer,
    pause: () => void upload.abort(),
    resume: () => upload.start(),
    // What was not there to be ended ends by itself a day later.
    cancel: () => void upload.abort(true).catch(() => undefined),
  }
}

/** At home as it always was, so that what a reload interrupted is known again. */
const endpoint = (node: string): string => `${node === nodes.home ? '' : node}${V1}/uploads`

function promised<T>(): [Promise<T>, (value: T) => void, (error: unknown) => void] {
  let done!: (value: T) => void
  let failed!: (error: unknown) => void
  const promise = new Promise<T>((resolve, reject) => ([done, failed] = [resolve, reject]))
  return [promise, done, failed]
}
