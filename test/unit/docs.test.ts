import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'

const root = projectRoot()
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const { scripts } = JSON.parse(read('package.json'))
const DOCUMENTS = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** The anchors of a document, as GitHub makes them from its headings. */
function anchorsOf(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

it('the README has at most 160 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(160)
})

it('CONTRIBUTING answers ten questions of newcomers, each by a file that is there', () => {
  const [, table = ''] = read('CONTRIBUTING.md').split(/^## Where is .*$/m)
  const rows = [...table.split(/^## /m)[0]!.matchAll(/^\| (?!question)(\S.*?) \| (.*) \|$/gm)]
  expect(rows).toHaveLength(10)
  for (const [, question, answer = ''] of rows) {
    const files = [...answer.matchAll(/`([\w./-]+\.(?:ts|sql))`/g)].map(([, path = '']) => path)
    expect({
      question,
      files: files.length,
      missing: files.filter((path) => !existsSync(join(root, path))),
    }).toEqual({
      question,
      files: expect.toSatisfy((n) => n > 0),
      missing: [],
    })
  }
})

describe.each(DOCUMENTS)('%s', (name) => {
  const text = read(name)

  it('names only files and commands that are there', () => {
    const paths = [...text.matchAll(/(?<![\w/.-])(?:src|workers|test|drizzle|grafana|docs)\/[\w./-]*[\w/]/g)]
    expect(paths.map(([path]) => path).filter((path) => !existsSync(join(root, path)))).toEqual([])
    const commands = [...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, command]) => command)
    expect(commands.filter((command) => !(command! in scripts))).toEqual([])
  })

  it('links only to documents and headings that are there', () => {
    const links = [...text.matchAll(/\]\(([\w./-]*)(?:#([\w-]+))?\)/g)]
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? name : relative(root, join(root, dirname(name), path))
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})
