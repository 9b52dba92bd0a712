import { expect, it } from 'vitest'
import { dropped } from './dropped'

const gone = (): never => {
  throw new DOMException('no such file', 'NotFoundError')
}
const forbidden = (): never => {
  throw new DOMException('permission denied', 'NotReadableError')
}
const NAMED = [
  { name: 'moved.mp3', why: { kind: 'vanished' } },
  { name: 'theirs', why: { kind: 'unreadable' } },
]

/** What was dropped, by handles as Chromium gives them, or by entries as all browsers do. */
type Tree = { name: string; read: () => File } | { name: string; inside: () => Tree[] }
const file = (name: string): Tree => ({ name, read: () => new File(['x'], name) })
const album: Tree = {
  name: 'album',
  inside: () => [file('one.mp3'), { name: 'moved.mp3', read: gone }, { name: 'theirs', inside: forbidden }, file('two.mp3')],
}

const handle = (tree: Tree): unknown =>
  'read' in tree
    ? { kind: 'file', name: tree.name, getFile: async () => tree.read() }
    : { kind: 'directory', name: tree.name, async *values() { yield* tree.inside().map(handle) } } // prettier-ignore

function entry(tree: Tree): unknown {
  const answer = <T>(make: () => T, done: (made: T) => void, failed: (why: unknown) => void): void => {
    try {
      done(make())
    } catch (error) {
      failed(error)
    }
  }
  if ('read' in tree) return { isFile: true, name: tree.name, file: (done: () => void, failed: () => void) => answer(tree.read, done, failed) }
  let asked = false
  const some = (): unknown[] => (asked ? [] : ((asked = true), tree.inside().map(entry)))
  return { isFile: false, name: tree.name, createReader: () => ({ readEntries: (done: () => void, failed: () => void) => answer(some, done, failed) }) }
}
const drop = (item: object): DataTransfer =>
  ({ items: [{ kind: 'file', webkitGetAsEntry: () => null, getAsFile: () => null, ...item }] }) as unknown as DataTransfer

it.each([
  ['handles', { getAsFileSystemHandle: async () => handle(album) }],
  ['entries', { webkitGetAsEntry: () => entry(album) }],
])('takes what can be read of a folder, and names the rest (%s)', async (_, item) => {
  const { files, unread } = await dropped(drop(item))
  expect(files.map(({ name }) => name)).toEqual(['one.mp3', 'two.mp3'])
  expect(unread).toMatchObject(NAMED)
})
