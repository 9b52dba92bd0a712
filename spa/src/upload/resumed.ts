/**
 * Files that a reload interrupted. A browser that gives handles to files (Chromium) is asked for them again by one
 * click; elsewhere the same files are chosen again, and the node tells how much of each it has.
 */
import { load, keep } from '@/shared/kept'
import { unreadable } from '@/shared/problem'
import type { Dropped } from './dropped'

const DATABASE = 'ringnode-uploads'
const STORE = 'handles'
const MOST = 2_000

interface Left {
  name: string
  size: number
}
type Handle = FileSystemFileHandle & {
  queryPermission(wish: { mode: 'read' }): Promise<PermissionState>
  requestPermission(wish: { mode: 'read' }): Promise<PermissionState>
}

const key = (file: Left): string => `${file.name}/${file.size}`
const given = new WeakMap<File, FileSystemFileHandle>()

/** Remember how a file can be read again. */
export function handleOf(file: File, handle: FileSystemFileHandle): File {
  given.set(file, handle)
  return file
}

/** Those of the open files that no browser gives again by itself. */
export const unkept = (files: readonly File[]): File[] => files.filter((file, n) => n >= MOST || !given.has(file))

/** Note what is open, so that it can go on after a reload. */
export async function remember(files: readonly File[]): Promise<void> {
  keep('uploads', files.slice(0, MOST).map(({ name, size }) => ({ name, size })))
  const handles = files.slice(0, MOST).filter((file) => given.has(file))
  await inStore('readwrite', (store) => {
    store.clear()
    for (const file of handles) store.put(given.get(file), key(file))
  })
}

/** The names of what was open at the last visit. */
export function interrupted(): Left[] {
  return load<Left[]>('uploads', [])
}

/** The files of it that the browser gives again. Call it from a click: the browser may ask. */
export async function reopened(): Promise<Dropped> {
  const handles: Handle[] = []
  await inStore('readonly', (store) => {
    const asked = store.getAll() as IDBRequest<Handle[]>
    asked.onsuccess = () => handles.push(...asked.result)
  })
  const found: Dropped = { files: [], unread: [] }
  for (const handle of handles) {
    const wish = { mode: 'read' } as const
    const may = (await handle.queryPermission(wish)) === 'granted' || (await handle.requestPermission(wish)) === 'granted'
    if (!may) continue
    await handle.getFile().then(
      (file) => found.files.push(handleOf(file, handle)),
      (error: unknown) => found.unread.push({ name: handle.name, why: unreadable(error) }),
    )
  }
  return found
}

/** Do something with the store. Without one, nothing is remembered. */
async function inStore(mode: IDBTransactionMode, act: (store: IDBObjectStore) => void): Promise<void> {
  if (typeof indexedDB === 'undefined') return
  await new Promise<void>((done) => {
    const opening = indexedDB.open(DATABASE, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    opening.onerror = () => done()
    opening.onsuccess = () => {
      const database = opening.result
      const transaction = database.transaction(STORE, mode)
      transaction.oncomplete = transaction.onabort = () => {
        database.close()
        done()
      }
      act(transaction.objectStore(STORE))
    }
  })
}
