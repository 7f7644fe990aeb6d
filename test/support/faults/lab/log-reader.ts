import type { Writable } from 'node:stream'

export type LogFigures = {
  /** The most lines that came within a second of the clock. */
  worstLinesPerSecond: number
  /** The lines that held a secret, cut to 500 characters. */
  leaks: string[]
}

/** Reads a log line by line, counts, looks for secrets, and passes the lines on to `file`. */
export function createLogReader(
  file: Writable,
  secrets: string[],
): { figures: LogFigures; onLine(line: string): void } {
  const figures: LogFigures = { worstLinesPerSecond: 0, leaks: [] }
  let second = { at: 0, lines: 0 }
  return {
    figures,
    onLine(line) {
      file.write(`${line}\n`)
      const at = Math.floor(Date.now() / 1_000)
      second = { at, lines: second.at === at ? second.lines + 1 : 1 }
      figures.worstLinesPerSecond = Math.max(figures.worstLinesPerSecond, second.lines)
      if (secrets.some((secret) => line.includes(secret))) figures.leaks.push(line.slice(0, 500))
    },
  }
}
