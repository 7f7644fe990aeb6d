import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { startProcess } from '../support/process.ts'

it('a command exits 0 when it is done, and 1 with one line when it is called wrongly', async () => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const run = (...args: string[]) => startProcess('src/cli/main.js', args, { DATABASE_URL })
  const [done, mistaken, unset] = [
    run('sweep', '--dry-run'),
    run('sweep', '--at', 'yesterday'),
    run('simulate', '--url', 'http://127.0.0.1:1'),
  ]
  expect([await done.exited(), done.output()]).toEqual([0, expect.stringContaining('Nothing was changed.')])
  expect(await mistaken.exited()).toBe(1)
  expect(mistaken.output()).toMatch(
    /^error: option '--at <time>' argument '.*' is invalid\. Give a day, .*\n$/,
  )
  expect(await unset.exited()).toBe(1)
  expect(unset.output()).toMatch(/^--secret, or META_APP_SECRET, is required.*\n$/)
})
