import { readFileSync } from 'node:fs'
import { FIGURES, type Figure } from './figures.ts'
import { MATRIX } from './matrix.ts'

/** Prints the table of faults of docs/reliability.md, from the figures that the last run of each test has left. */
function main(): void {
  const figures = new Map<string, Figure & { row: number }>()
  for (const line of readFileSync(FIGURES, 'utf8').trim().split('\n')) {
    const figure: Figure & { row: number } = JSON.parse(line)
    figures.set(`${figure.row} ${figure.of} ${figure.engine ?? ''}`, figure)
  }
  console.log('| # | fault | promise | measured |\n|---|---|---|---|')
  for (const [i, [fault, promise]] of MATRIX.entries()) {
    const told = [...figures.values()].filter(({ row }) => row === i + 1).map(describe)
    console.log(`| ${i + 1} | ${fault} | ${promise} | ${told.join('; ') || 'not in this run'} |`)
  }
}

function describe({ of, n, engine, seed, lost, doubled, wrong, seconds, also = {} }: Figure): string {
  const where = engine && { postgres: ' (queue on PostgreSQL)', redis: ' (on Redis)' }[engine]
  const parts = [
    lost !== undefined && `lost ${lost}`,
    doubled !== undefined && `doubled ${doubled}`,
    wrong !== undefined && `wrong ${wrong}`,
    seconds !== undefined && `${seconds.toFixed(1)} s`,
    ...Object.entries(also).map(([what, value]) => `${what} ${value}`),
    seed !== undefined && `seed ${seed}`,
  ]
  return `${n.toLocaleString('en')} ${of}${where ?? ''}: ${parts.filter(Boolean).join(', ')}`
}

main()
