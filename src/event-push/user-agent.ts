import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../project-root.ts'

const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as {
  version: string
}

/** Names Usher and its version to the endpoints. */
export const USER_AGENT = `Usher/${version}`
