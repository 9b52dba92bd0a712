/** The files of what was dropped, folders opened. */
import { handleOf } from './resumed'

/** Browsers that can give handles to files, which outlive the page. */
type Item = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> }
type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> }

export async function dropped(transfer: DataTransfer): Promise<File[]> {
  // All at once: after the first wait the browser has forgotten what was dropped.
  const asked = [...transfer.items].filter((item) => item.kind === 'file').map((item: Item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => null),
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }))
  const found = asked.map(async ({ handle, entry, file }) => {
    const given = await handle
    if (given) return ofHandle(given)
    if (entry) return ofEntry(entry)
    return file ? [file] : []
  })
  return (await Promise.all(found)).flat()
}

async function ofHandle(handle: FileSystemHandle): Promise<File[]> {
  if (handle.kind === 'file') {
    const one = handle as FileSystemFileHandle
    return [handleOf(await one.getFile(), one)]
  }
  const files: File[] = []
  for await (const inner of (handle as Folder).values()) files.push(...(await ofHandle(inner)))
  return files
}

async function ofEntry(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (!some.length) break
    found.push(...some)
  }
  return (await Promise.all(found.map(ofEntry))).flat()
}
