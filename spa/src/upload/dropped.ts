/** The files of what was dropped, folders opened. */
import { unreadable, type Problem } from '@/shared/problem'
import { handleOf } from './resumed'

export interface Dropped {
  files: File[]
  /** Files and folders that the device did not give, which hold up no others. */
  unread: { name: string; why: Problem }[]
}

/** Browsers that can give handles to files, which outlive the page. */
type Item = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> }
type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> }

export async function dropped(transfer: DataTransfer): Promise<Dropped> {
  // All at once: after the first wait the browser has forgotten what was dropped.
  const asked = [...transfer.items].filter((item) => item.kind === 'file').map((item: Item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => null),
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }))
  const found: Dropped = { files: [], unread: [] }
  for (const { handle, entry, file } of asked) {
    const given = await handle
    if (given) await takeHandle(given, found)
    else if (entry) await takeEntry(entry, found)
    else if (file) found.files.push(file)
  }
  return found
}

async function takeHandle(handle: FileSystemHandle, found: Dropped): Promise<void> {
  try {
    if (handle.kind === 'file') {
      const one = handle as FileSystemFileHandle
      found.files.push(handleOf(await one.getFile(), one))
    } else for await (const inner of (handle as Folder).values()) await takeHandle(inner, found)
  } catch (error) {
    found.unread.push({ name: handle.name, why: unreadable(error) })
  }
}

async function takeEntry(entry: FileSystemEntry, found: Dropped): Promise<void> {
  try {
    if (entry.isFile) found.files.push(await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed)))
    else for await (const inner of entriesOf(entry as FileSystemDirectoryEntry)) await takeEntry(inner, found)
  } catch (error) {
    found.unread.push({ name: entry.name, why: unreadable(error) })
  }
}

async function* entriesOf(folder: FileSystemDirectoryEntry): AsyncGenerator<FileSystemEntry> {
  const reader = folder.createReader()
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (!some.length) return
    yield* some
  }
}
