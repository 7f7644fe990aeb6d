import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { VARIABLES } from '../../src/config-variables.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { projectRoot } from '../../src/project-root.ts'
import { JWT_SECRET, mint } from '../support/api.ts'
import { startTestApp } from '../support/app.ts'

const README = readFileSync(join(projectRoot(), 'README.md'), 'utf8')
const block = (language: string) => README.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))?.[1] ?? ''

it('the walk through the API goes as the README shows it', async () => {
  const key = randomBytes(32)
  const app = await startTestApp('postgres', { JWT_SECRET, SECRETS_KEY: key.toString('base64') })
  await provision(app.db, parseProvisionFile(block('json')), key)
  const env = { ...process.env, USHER: app.url ?? '', TOKEN: await mint({ org: 'acme' }) }
  const script = `set -euo pipefail\n${block('bash')}`
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, cwd: projectRoot() })
  const [route, sent, list, , detail] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(route).toMatchObject({ decision: 'active', candidates: [{ state: 'active' }] })
  expect(sent).toMatchObject({ direction: 'out', type: 'template' })
  expect(list.messages).toHaveLength(1)
  expect(detail).toMatchObject({ state: 'deactivated', users: ['asha'], display_name: 'lead-1 Ana' })
})

it('the README names every variable and every npm command', () => {
  for (const name of VARIABLES) expect(README).toContain(name)
  const { scripts } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'))
  for (const name of ['start', 'demo', 'test', 'check', 'migrate', 'provision', 'token', 'sweep']) {
    expect(Object.keys(scripts)).toContain(name)
    expect(README).toMatch(new RegExp(`npm (run )?${name}`))
  }
})
