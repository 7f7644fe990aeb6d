import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { PURE } from '../../vitest.config.ts'

const root = projectRoot()
const files = ['src', 'workers'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name)),
)

type Import = { from: string; to: string; typeOnly: boolean }

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/^(import|export)( type)? [^;]*?from '([^']+)'/gms)].map(
    ([, , type, to = '']) => ({
      from: file,
      to: to.startsWith('.') ? relative(root, join(root, dirname(file), to)) : to,
      typeOnly: type !== undefined,
    }),
  )
}

const imports = files.flatMap(importsOf)

/** Ports: code that talks to the outside world and knows no rule of Usher. */
const PORTS =
  /^src\/(config|config-variables|read-config|read-variables|logger|once-per-second|once-per-minute|metrics|deadline|lifetime|errors|secrets|project-root)\.ts$|^src\/(db|queue|tracing|metrics)\//
const ADAPTERS = /^src\/(http|cli|console)\/|\/(routes|[a-z-]+-routes)\.ts$|^workers\//
const PURE_LIBRARIES = ['zod', 'node:crypto', 'uuid']

const rank = (file: string) => {
  if (PURE.includes(file)) return 0
  if (PORTS.test(file)) return 1
  return ADAPTERS.test(file) ? 3 : 2
}

it('pure files import pure files, zod and node:crypto only; types from anywhere', () => {
  const wrong = imports.filter(
    ({ from, to, typeOnly }) =>
      PURE.includes(from) && !typeOnly && !PURE.includes(to) && !PURE_LIBRARIES.includes(to),
  )
  expect(wrong).toEqual([])
})

it('pure files read no clock, environment or random, and wait for nothing', () => {
  const wrong = PURE.filter((file) =>
    /Date\.now|new Date\(\)|process\.|Math\.random|\bawait\b|randomUUID/.test(
      readFileSync(join(root, file), 'utf8'),
    ),
  )
  expect(wrong).toEqual([])
})

it('src never imports workers', () => {
  expect(imports.filter(({ from, to }) => from.startsWith('src/') && to.startsWith('workers/'))).toEqual([])
})

it('nothing imports an adapter but adapters and roots; ports import no rules', () => {
  const own = imports.filter(({ to, typeOnly }) => /^(src|workers)\//.test(to) && !typeOnly)
  expect(own.filter(({ from, to }) => rank(to) > rank(from))).toEqual([])
})

it('no file imports itself by way of others, types included', () => {
  expect(findCycle(imports)).toEqual([])
})

it('no folder imports itself by way of others, types included', () => {
  const folders = imports.map(({ from, to }) => ({ from: dirname(from), to: dirname(to) }))
  expect(findCycle(folders.filter(({ from, to }) => from !== to))).toEqual([])
})

it('no production file is over 200 lines; half are at most 60, nine in ten at most 120', () => {
  const lengths = files.map((file) => ({ file, lines: linesOf(file).length - 1 }))
  expect(lengths.filter(({ lines }) => lines > 200)).toEqual([])
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b)
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(60)
  expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThanOrEqual(120)
})

it('no production function is over 40 lines, its signature, comments and blank lines included', () => {
  expect(files.flatMap((file) => functionsOf(file).filter(({ lines }) => lines > 40))).toEqual([])
})

function linesOf(file: string): string[] {
  return readFileSync(join(root, file), 'utf8').split('\n')
}

/** The first way found that leads from a node back to it; empty where there is none. */
function findCycle(edges: { from: string; to: string }[]): string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const visit = (node: string, way: string[]): string[] => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node]
    if (done.has(node)) return []
    for (const to of next.get(node) ?? []) {
      const cycle = visit(to, [...way, node])
      if (cycle.length > 0) return cycle
    }
    done.add(node)
    return []
  }
  for (const node of next.keys()) {
    const cycle = visit(node, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

const STARTS = [
  /^\s*(export )?(default )?(async )?function\b/,
  /=> \{$/,
  /^\s*(async |static |get |set )*(?!if\b|for\b|while\b|switch\b|catch\b)[\w#]+\([^)]*\)(: [^=]+)? \{$/,
]

/** Functions as the formatter writes them: the closing brace stands as far in as the line that begins the function. */
function functionsOf(file: string): { at: string; lines: number }[] {
  const lines = linesOf(file)
  return lines.flatMap((line, i) => {
    if (!STARTS.some((start) => start.test(line))) return []
    const indent = /^\s*/.exec(line)![0]
    const closes = (other: string) => other.startsWith(`${indent}}`) && !other.endsWith('{')
    const end = lines.findIndex((other, j) => j > i && closes(other))
    return [{ at: `${file}:${i + 1}`, lines: end - i + 1 }]
  })
}

/** Files that may read this machine's clock: to measure, to wait, to make up traffic; never to decide about rows. */
const MAY_READ_THE_CLOCK =
  /^src\/(simulate|demo|db\/embedded)\/|^src\/cli\/(simulate|doctor)\.ts$|^src\/(queue\/schedules|console\/now\/poller)\.ts$|^workers\/(api|app|workers-process|demo|deliveries\/route)\.ts$/

it('no other file reads the clock of its machine, because the clock of the database decides', () => {
  const wrong = files.filter(
    (file) =>
      !MAY_READ_THE_CLOCK.test(file) && /Date\.now|new Date\(\)/.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(wrong).toEqual([])
})
