import { SingleBar } from 'cli-progress'

export type Progress = { show(bytes: number, lines: number): void; stop(): void }

/** Between two lines of an output that is no terminal. */
const EVERY_MS = 10_000

/** Shows on stderr how far an import of a file of `size` bytes is: a bar on a terminal, else a line now and then. */
export function createProgress(size: number): Progress {
  return process.stderr.isTTY ? createBar(size) : createLines(size)
}

function createBar(size: number): Progress {
  const format = '{bar} {percentage} %, {lines} lines, {eta_formatted} left'
  const bar = new SingleBar({ format, hideCursor: true, stream: process.stderr })
  bar.start(size, 0, { lines: 0 })
  return { show: (bytes, lines) => bar.update(bytes, { lines }), stop: () => bar.stop() }
}

function createLines(size: number): Progress {
  let shownAt = performance.now()
  return {
    show(bytes, lines) {
      if (performance.now() - shownAt < EVERY_MS) return
      shownAt = performance.now()
      process.stderr.write(`${lines} lines, ${Math.round((100 * bytes) / Math.max(size, 1))} %\n`)
    },
    stop: () => undefined,
  }
}
