import { setTimeout as sleep } from 'node:timers/promises'

/** A line of a body, counted from 1, without its end; `bytes` is undefined for a line that is longer than allowed. */
export type RawLine = { number: number; bytes: Buffer | undefined }

/** The longest line, in bytes. */
export const MAX_LINE_BYTES = 65_536
/** Lines that wait for a batch to become full wait no longer than this for more input. */
const PATIENCE_MS = 100
const NEWLINE = 10
const LATE = Symbol('late')

/**
 * The lines of a stream in batches of at most `size`, without empty ones. Reads one chunk ahead of the batches that were
 * taken, and never holds more than that. A batch is smaller when the stream pauses, because a client may wait for the
 * answers to some lines before it sends others.
 * @throws what the stream throws
 */
export async function* readLines(input: AsyncIterable<Buffer>, size: number): AsyncGenerator<RawLine[]> {
  const splitter = createSplitter()
  const chunks = input[Symbol.asyncIterator]()
  let waiting: RawLine[] = []
  let next = chunks.next()
  for (;;) {
    const arrived = await (waiting.length === 0 ? next : Promise.race([next, lateness()]))
    if (arrived !== LATE) {
      if (arrived.done) break
      waiting.push(...splitter.split(arrived.value))
      next = chunks.next()
      // Whoever takes the next batch sees the failure.
      next.catch(() => undefined)
    }
    const isLate = arrived === LATE
    while (waiting.length >= size || (isLate && waiting.length > 0)) {
      yield waiting.slice(0, size)
      waiting = waiting.slice(size)
    }
  }
  const rest = [...waiting, ...splitter.end()]
  for (let start = 0; start < rest.length; start += size) yield rest.slice(start, start + size)
}

function lateness(): Promise<typeof LATE> {
  return sleep(PATIENCE_MS, LATE, { ref: false })
}

/** Cuts chunks into lines. Holds the begin of a line whose end has not come yet, but never more than a line may have. */
function createSplitter() {
  let number = 0
  let parts: Buffer[] = []
  let held = 0

  function hold(part: Buffer): void {
    held += part.length
    if (held > MAX_LINE_BYTES) parts = []
    else if (part.length > 0) parts.push(part)
  }

  function take(): RawLine[] {
    number += 1
    const bytes = held > MAX_LINE_BYTES ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts)
    parts = []
    held = 0
    return bytes && isBlank(bytes) ? [] : [{ number, bytes }]
  }

  return {
    split(chunk: Buffer): RawLine[] {
      const lines: RawLine[] = []
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        hold(chunk.subarray(start, end))
        lines.push(...take())
        start = end + 1
      }
      hold(chunk.subarray(start))
      return lines
    },
    /** The last line, where nothing ends it. */
    end: (): RawLine[] => (held > 0 ? take() : []),
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
