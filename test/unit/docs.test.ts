import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, readRepositoryFile as read, repositoryFiles } from '../support/repository.ts'

const files = repositoryFiles()
const { scripts } = JSON.parse(read('package.json'))
const DOCUMENTS = files.filter((name) => /^(docs\/)?[\w-]+\.md$/.test(name))
const isThere = (path: string) => files.some((file) => file === path || file.startsWith(`${path}/`))

it('the README has at most 160 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(160)
})

it('ARCHITECTURE describes every folder of src', () => {
  const folders = new Set(files.flatMap((name) => /^src\/[\w-]+\//.exec(name) ?? []))
  expect([...folders].filter((folder) => !read('ARCHITECTURE.md').includes(`\`${folder}\``))).toEqual([])
})

it('CONTRIBUTING answers ten questions of newcomers, each by a file that is there', () => {
  const [, table = ''] = read('CONTRIBUTING.md').split(/^## Where is .*$/m)
  const rows = [...table.split(/^## /m)[0]!.matchAll(/^\| (?!question)(\S.*?) \| (.*) \|$/gm)]
  expect(rows).toHaveLength(10)
  for (const [row, , answer = ''] of rows) {
    const named = [...answer.matchAll(/`([\w./-]+\.(?:ts|sql))`/g)].map(([, path = '']) => path)
    expect(named.filter(isThere), row).not.toEqual([])
    expect(named.filter((path) => !isThere(path))).toEqual([])
  }
})

describe.each(DOCUMENTS)('%s', (name) => {
  const text = read(name)

  it('names only files and commands that are there', () => {
    const paths = text.matchAll(/(?<![\w/.-])(?:src|workers|test|drizzle|grafana|docs)\/[\w./-]*\w/g)
    expect([...paths].map(([path]) => path).filter((path) => !isThere(path))).toEqual([])
    const commands = [...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, command]) => command)
    expect(commands.filter((command) => !(command! in scripts))).toEqual([])
    const words = [...text.matchAll(/\bnpm run (bench|faults) -- ([a-z]+)/g)]
    const known = (script: string, word: string) => read(`test/${script}/main.ts`).includes(`\n  ${word}: `)
    expect(
      words.filter(([, script = '', word = '']) => !known(script, word)).map(([command]) => command),
    ).toEqual([])
  })

  it('links only to documents and headings that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([\w./-]*)(?:#([\w-]+))?\)/g)]
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? name : join(dirname(name), path)
      return !isThere(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})

/** Phrases that cite descriptions which are not in the repository. */
const FOREIGN = /\bDESIGN(?: section|[,:])|\b[Ff]acts(?:, section|:)|\((?:facts|spec)[:,)]/
const CITING = files.filter(
  (name) => /\.(tsx?|md|yaml|css|js)$|^Dockerfile$/.test(name) && name !== 'test/unit/docs.test.ts',
)

it('no file cites a description that is not in the repository', () => {
  expect(linesOf(CITING).filter((line) => FOREIGN.test(line))).toEqual([])
})

it('comments name only files and headings that are there', () => {
  const code = CITING.filter((name) => /\.tsx?$/.test(name))
  const missing = code.flatMap((name) => filesNamedIn(name).filter((path) => !isNamedRightly(name, path)))
  expect(missing).toEqual([])
})

function linesOf(names: string[]): string[] {
  return names.flatMap((name) =>
    read(name)
      .split('\n')
      .map((line, i) => `${name}:${i + 1}: ${line.trim()}`),
  )
}

function filesNamedIn(name: string): string[] {
  const comments = read(name).match(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm) ?? []
  const named = /(?<![\w./:*<>-])[\w.][\w./-]*\.(?:tsx?|md|sql|yaml|svg|json)(?:#[\w-]+)?\b/g
  // FILE.json stands for any file.
  return comments.flatMap((comment) => comment.match(named) ?? []).filter((path) => path !== 'FILE.json')
}

/** A comment may name a file by its path from the root or from its own folder, or by the end of that path. */
function isNamedRightly(name: string, path: string): boolean {
  const [file = '', anchor] = path.split('#')
  const ends = files.filter((one) => one.endsWith(`/${normalize(file)}`))
  const place = [file, join(dirname(name), file), ...ends].find((one) => files.includes(one))
  return place !== undefined && (anchor === undefined || anchorsOf(place).includes(anchor))
}

it('docs/operate.md names for each environment what to set, and a test that is there', () => {
  const rows = [
    ...read('docs/operate.md').matchAll(/^\| environment \| set \| proven by \|\n\|[-|]+\|\n((?:\|.*\n)+)/gm),
  ]
    .flatMap(([, body = '']) => body.trim().split('\n'))
    .map((row) => row.slice(2, -2).split(' | '))
  const unproven = rows.filter(
    (row) =>
      row.length !== 3 ||
      row.some((cell) => cell.trim() === '') ||
      !/`test\/[\w/.-]+\.test\.ts`/.test(row[2]!),
  )
  expect(unproven).toEqual([])
  const named = rows.flatMap(([, , proof = '']) =>
    [...proof.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, path]) => path!),
  )
  expect(named.filter((path) => !files.includes(path))).toEqual([])
  const environments = rows.map(([environment]) => environment).join('\n')
  expect(ENVIRONMENTS.filter((one) => !one.test(environments))).toEqual([])
})

/** Where people run Usher, PostgreSQL and Redis. */
const ENVIRONMENTS = [
  ...[/npm start/, /split roles/i, /compose/, /Kubernetes/, /systemd/, /PostgreSQL itself/, /least rights/],
  ...[/PgBouncer in session mode/, /PgBouncer .* transaction mode/, /Neon/, /Supabase/, /Azure/, /RDS Proxy/],
  ...[/one Redis/, /Sentinel/, /Cluster/, /TLS/, /without `INFO`/, /two installations/],
]
