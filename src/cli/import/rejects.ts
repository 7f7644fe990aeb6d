import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'

export type RejectsFile = {
  /** Resolves when more may be written. The file is made by the first line. */
  write(text: string, head: string): Promise<void>
  /** Resolves when everything is on the disk; gives the path, if there was anything to write. */
  close(): Promise<string | undefined>
}

/** The file of the lines that were rejected; one of an earlier import is replaced. */
export function createRejectsFile(path: string): RejectsFile {
  let file: WriteStream | undefined
  return {
    async write(text, head) {
      if (!file) {
        file = createWriteStream(path)
        file.write(head)
      }
      if (!file.write(text)) await once(file, 'drain')
    },
    async close() {
      if (!file) return undefined
      file.end()
      await once(file, 'close')
      return path
    },
  }
}
