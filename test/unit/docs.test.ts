import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'

const root = projectRoot()
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/speed.md'])(
  '%s names only files and commands that are there',
  (name) => {
    // What a comment names is for later.
    const text = readFileSync(join(root, name), 'utf8').replace(/<!--[\s\S]*?-->/g, '')
    const paths = [...text.matchAll(/\b(?:src|workers|test|drizzle|grafana|docs)\/[\w./-]*[\w/]/g)].map(
      ([path]) => path,
    )
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
    const commands = [...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, command]) => command)
    expect(commands.filter((command) => !(command! in scripts))).toEqual([])
  },
)
