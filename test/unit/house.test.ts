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

/** Ports: what stands between us and the world, and is not told what for. */
const PORTS =
  /^src\/(config|logger|metrics|deadline|lifetime|errors|secrets|project-root)\.ts$|^src\/(db|queue|tracing)\//
const ADAPTERS = /^src\/(http|cli|console)\/|\/(routes|[a-z]+-routes)\.ts$|^workers\//
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
  const wrong = own.filter(
    ({ from, to }) => rank(to) > rank(from) && !(rank(from) === 2 && SHARED_BY_ROUTES.test(to)),
  )
  expect(wrong).toEqual([])
})

/** The vocabulary of endpoints (zod shapes), which the features' own schemas are written in. */
const SHARED_BY_ROUTES = /^src\/http\/(fields)\.ts$/

it('no production file is over 200 lines', () => {
  const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length - 1 > 200)
  expect(long).toEqual([])
})
