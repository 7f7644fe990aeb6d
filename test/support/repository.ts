import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'

const root = projectRoot()
const FOLDERS = ['src', 'workers', 'test', 'docs', 'drizzle', 'grafana', 'assets', 'deploy']

/** The files that this repository holds, by their paths from its root; what is built or installed is left out. */
export function repositoryFiles(): string[] {
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  )
  const atRoot = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile())
  return [...atRoot.map((entry) => entry.name), ...below]
}

/** The text of a file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The anchors of a Markdown document, as GitHub makes them from its headings. */
export function anchorsOf(path: string): string[] {
  return [...readRepositoryFile(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
