import type { PublishedFigure } from '../figures.ts'
import { MATRIX } from '../matrix.ts'

/** The table of docs/reliability.md, in Markdown, from the published figures (one JSON object a line). */
export function formatMatrix(lines: string): string {
  const latest = new Map<string, PublishedFigure>()
  for (const line of lines.trim().split('\n')) {
    const figure: PublishedFigure = JSON.parse(line)
    latest.set(`${figure.row} ${figure.of} ${figure.engine ?? ''}`, figure)
  }
  const rows = MATRIX.map(([fault, promise], i) => {
    const measured = [...latest.values()].filter(({ row }) => row === i + 1).map(formatFigure)
    return `| ${i + 1} | ${fault} | ${promise} | ${measured.join('; ') || 'not in this run'} |`
  })
  return ['| # | fault | promise | measured |', '|---|---|---|---|', ...rows].join('\n')
}

const QUEUES = { postgres: ' (queue on PostgreSQL)', redis: ' (queue on Redis)' }

function formatFigure({ of, n, engine, seed, counts, seconds, also = {} }: PublishedFigure): string {
  const parts = [
    ...Object.entries(counts).map(([kind, count]) => `${kind} ${count}`),
    seconds !== undefined && `${seconds.toFixed(1)} s`,
    ...Object.entries(also).map(([what, value]) => `${what} ${value}`),
    seed !== undefined && `seed ${seed}`,
  ].filter(Boolean)
  const where = engine ? QUEUES[engine] : ''
  return `${n.toLocaleString('en')} ${of}${where}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
