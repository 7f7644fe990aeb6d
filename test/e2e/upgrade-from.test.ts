import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { engines } from '../support/app.ts'
import { install } from '../support/faults/installation.ts'
import { createFormerDatabase, FORMER_PHONE } from '../support/former-schema.ts'
import { spawnProcess } from '../support/running-process.ts'

/** Another checkout of Usher, built: `UPGRADE_FROM=FOLDER npx vitest run --project e2e upgrade-from`. */
const FROM = process.env.UPGRADE_FROM

const EVERY_MS = 10
const MORE = 50

async function migrateBy(root: string, DATABASE_URL: string): Promise<void> {
  const migration = spawnProcess('src/cli/main.js', ['migrate'], { DATABASE_URL }, { root })
  expect(await migration.exited(), migration.output()).toBe(0)
}

describe.runIf(FROM)('an upgrade from another version', () => {
  const former = resolve(FROM ?? '.')

  it.for(engines())(
    'and the way back, process by process under load, queue on %s, lose and double nothing',
    async (engine, t) => {
      const database = await createFormerDatabase((url) => migrateBy(former, url))
      const site = await install(t, engine, { database })
      const startBoth = async (root: string) => {
        const [server, workers] = [
          await site.start('server', { root }),
          await site.start('workers', { root }),
        ]
        return { url: server.url, stop: () => Promise.all([server.stop(), workers.stop()]) }
      }
      let current = await startBoth(former)
      const stopLoad = site.startLoad(() => current.url, FORMER_PHONE, EVERY_MS)
      const count = async () =>
        (await database.pool.query('select count(*)::int as n from messages')).rows[0].n as number
      const routesMore = async () => {
        const before = await count()
        await expect.poll(count).toBeGreaterThan(before + MORE)
      }
      const replaceBy = async (root: string) => {
        const before = current
        current = await startBoth(root)
        expect(await before.stop()).toEqual([0, 0])
        await routesMore()
      }
      await routesMore()
      await migrateBy(projectRoot(), database.url)
      await routesMore()
      await replaceBy(projectRoot())
      await replaceBy(former)
      await migrateBy(former, database.url)
      await replaceBy(projectRoot())
      const wamids = await stopLoad()
      await site.allRouted(wamids)
      const account = await site.account()
      process.stderr.write(`${engine}: ${JSON.stringify(account)}\n`)
      expect(account).toMatchObject({ lost: 0, doubled: 0, misplaced: 0, invented: 0 })
    },
  )
})
