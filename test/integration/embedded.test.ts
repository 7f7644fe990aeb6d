import { spawn } from 'node:child_process'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { copy, keepersOn, processesOn, query, serverOn, test } from '../support/embedded.ts'
import { eventually } from '../support/patience.ts'

describe.concurrent('embedded PostgreSQL', () => {
  test('a start in an empty folder creates a durable UTF-8 server on 127.0.0.1 that requires a password', async ({
    emptyBox: box,
  }) => {
    const { url } = await box.start()

    expect(url).toMatch(/^postgres:\/\/usher:.{32}@127\.0\.0\.1:\d+\/usher$/)
    const wanted = { fsync: 'on', listen_addresses: '127.0.0.1', max_connections: '200' }
    for (const [name, value] of Object.entries(wanted)) {
      expect(await query(url, `show ${name}`)).toEqual([{ [name]: value }])
    }
    expect(await query(url, `select lower('Ä') || current_setting('server_encoding') as is`)).toEqual([
      { is: 'äUTF8' },
    ])
    const guess = Object.assign(new URL(url), { password: 'guess' }).href
    await expect(query(guess, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    expect((await stat(join(box.dataDir, 'usher-password'))).mode & 0o777).toBe(0o600)
    expect((await stat(box.dataDir)).mode & 0o777).toBe(0o700)
    expect(await readdir(dirname(box.dataDir))).toEqual(['postgres'])
  })

  test('a second start joins the running server, which stops when its last user stops it', async ({
    box,
  }) => {
    const first = await box.start()
    const second = await box.start()
    expect(second.url).toBe(first.url)

    await first.stop()
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await second.stop()
    await expect(query(second.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
    expect(processesOn(box.dataDir)).toEqual([])
  })

  test('four first starts at the same time share one server, which stops when all stop it at the same time', async ({
    emptyBox: box,
  }) => {
    const all = await Promise.all([box.start(), box.start(), box.start(), box.start()])
    expect(new Set(all.map(({ url }) => url)).size).toBe(1)
    expect(await readdir(dirname(box.dataDir))).toEqual(['postgres'])

    await Promise.all(all.map(({ stop }) => stop()))
    expect(processesOn(box.dataDir)).toEqual([])
  })

  test('starts and stops in any order never stop a server that is in use', async ({ box }) => {
    const useNowAndThen = async () => {
      for (let round = 0; round < 5; round += 1) {
        const { url, stop } = await box.start()
        await sleep(Math.random() * 100)
        expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
        await stop()
      }
    }
    await Promise.all([useNowAndThen(), useNowAndThen(), useNowAndThen()])
    expect(processesOn(box.dataDir)).toEqual([])
  })

  test('committed rows survive SIGKILL of keeper and server', async ({ box }) => {
    const { url } = await box.start()
    await query(url, 'create table t as select 42 as answer')
    for (const pid of [...keepersOn(box.dataDir), await serverOn(box.dataDir)]) process.kill(pid, 'SIGKILL')

    const again = await box.start()
    expect(await query(again.url, 'select answer from t')).toEqual([{ answer: 42 }])
  })

  test('a keeper starts a killed server again under the same URL', async ({ box }) => {
    const { url } = await box.start()
    process.kill(await serverOn(box.dataDir), 'SIGKILL')

    await eventually(async () => expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]))
    expect(box.log).toEqual(['the embedded PostgreSQL was lost: starting it again'])
  })

  test('the end of a keeper is logged, and its server goes on', async ({ box }) => {
    const { url } = await box.start()
    process.kill(-keepersOn(box.dataDir)[0]!, 'SIGKILL')
    await eventually(() =>
      expect(box.log).toEqual(['the embedded PostgreSQL has no keeper any more: the keeper process ended']),
    )
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect((await box.start()).url).toBe(url)
  })

  test('no server is left after SIGKILL of the process group of an application', async ({ box }) => {
    const { pid, url } = await box.application()
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
    process.kill(-pid, 'SIGKILL')
    await eventually(() => expect(processesOn(box.dataDir)).toEqual([]))
  })

  test('signals to application and keeper do not stop the server before the application does', async ({
    box,
  }) => {
    const { pid, url, output, ended } = await box.application({
      onSigint: `
      await new Promise((resolve) => setTimeout(resolve, 500))
      const pg = await import('pg')
      const client = new pg.default.Client(embedded.url)
      await client.connect()
      await client.end()
      await embedded.stop()
      console.log('drained')
      process.exit(0)`,
    })
    process.kill(-pid, 'SIGINT')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(keepersOn(box.dataDir)[0]!, signal)
    await ended
    expect(output()).toContain('drained')
    await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  })

  test('an application that does not stop the server can end, and the server ends with it', async ({
    box,
  }) => {
    const { pid, ended } = await box.application({ onSigint: 'clearInterval(alive)' })
    process.kill(pid, 'SIGINT')
    await ended
    await eventually(() => expect(processesOn(box.dataDir)).toEqual([]))
  })

  test('a server starts also if another process has the pid of its old lock file', async ({ box }) => {
    const { uid, gid } = await stat(box.dataDir)
    const other = spawn('sleep', ['60'], { uid, gid, cwd: '/' })
    box.atTheEnd(() => other.kill())
    const lock = [other.pid, box.dataDir, 1, 1, '', '127.0.0.1', '', 'ready']
    await writeFile(join(box.dataDir, 'postmaster.pid'), `${lock.join('\n')}\n`)

    const { url } = await box.start()
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('a copied data folder gets a server of its own, also if its lock file names that of the original', async ({
    box,
  }) => {
    const copied = join(box.folder, 'copy')
    copy(box.dataDir, copied)
    const original = await box.start()
    copy(join(box.dataDir, 'postmaster.pid'), join(copied, 'postmaster.pid'))

    const { url, stop } = await startEmbedded({ dataDir: copied, log: () => {} })
    box.atTheEnd(stop)
    expect(await query(url, 'show data_directory')).toEqual([{ data_directory: copied }])
    expect(await query(original.url, 'show data_directory')).toEqual([{ data_directory: box.dataDir }])
  })
})
