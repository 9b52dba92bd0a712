/** What went wrong, from the API's problem+json or from the network, and how it is said to a person. */

export class Problem extends Error {
  override readonly name = 'Problem'

  /**
   * @param kind the end of the problem's `type`, such as `not-found`; `offline` if no node answered, `unanswered` if one fell silent
   * @param status HTTP's status, 0 if there was no answer
   * @param detail a sentence of the API's, in English
   * @param field the part of the input that is to blame
   */
  constructor(
    readonly kind: string,
    readonly status: number,
    readonly detail: string,
    readonly field = '',
  ) {
    super(detail)
  }

  /** May the same succeed a little later? */
  get passing(): boolean {
    return [0, 429, 502, 503, 504].includes(this.status)
  }
}

/** The problem that an answer tells. */
export function problemOf(status: number, body: unknown): Problem {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Partial<Record<string, string>>
  const kind = told['type']?.split(':').at(-1) ?? `http-${status}`
  return new Problem(kind, status, told['detail'] ?? told['title'] ?? `HTTP ${status}`, told['field'])
}

/** The problem behind any error. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError'))
    return new Problem('offline', 0, 'no node answers')
  return new Problem('unforeseen', -1, error instanceof Error ? error.message : String(error))
}

/** Why the device did not give a file. */
export function unreadable(error: unknown): Problem {
  const gone = error instanceof DOMException && error.name === 'NotFoundError'
  return new Problem(gone ? 'vanished' : 'unreadable', -1, String(error))
}

/** For what takes a password: 401 means that it was mistyped, which `text` says. */
export const mistyped = (text: string) => (error: unknown): never => {
  const problem = asProblem(error)
  throw problem.status === 401 ? new Problem('mistyped', 401, text) : problem
} // prettier-ignore

/** Problems that are said in the reader's language; of others the API's own sentence is shown. */
export const WORDED = [
  'offline', 'unanswered', 'unforeseen', 'unauthenticated', 'forbidden', 'not-found', 'too-many-requests', 'too-large', 'no-space',
  'not-joined', 'not-enough-replicas', 'peer-down', 'peer-busy', 'corrupt-replica', 'internal', 'nobody',
  'unreadable', 'vanished',
] // prettier-ignore

/** One sentence for a person. `t` translates. */
export function explain(error: unknown, t: (key: string) => string): string {
  const problem = asProblem(error)
  return WORDED.includes(problem.kind) ? t(`problem.${problem.kind}`) : problem.detail
}
