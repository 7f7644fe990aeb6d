import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { keepWorkers } from '../../workers/split/keep-workers.ts'
import { atEndOf } from '../support/at-end.ts'

const LIVE = `setInterval(() => {}, 1_000); process.on('disconnect', () => process.exit())`

function keep(code: string, migrated: Promise<unknown> = Promise.resolve()) {
  const folder = mkdtempSync(join(tmpdir(), 'usher-workers-'))
  const entry = join(folder, 'workers.mjs')
  writeFileSync(entry, code)
  const lines: string[] = []
  const log = pino({ base: null }, { write: (text: string) => void lines.push(text) })
  const kept = keepWorkers({ migrated, log, entry })
  atEndOf('test', async () => {
    await kept.stop()
    rmSync(folder, { recursive: true })
  })
  const waits = () => lines.flatMap((line) => /"waitMs":(\d+)/.exec(line)?.[1] ?? [])
  return { ...kept, lines, waits }
}

it('workers that end at once are started again ever more rarely, and the probe says how they ended', async () => {
  const { probe, waits, stop } = keep('process.exit(3)')
  await expect.poll(waits).toEqual(['500', '1000', '2000'])
  await expect(probe.check()).rejects.toThrow('has ended (exit code 3) and is started again')
  await stop()
})

it('the probe of workers that do not answer fails, without an end there is no reason in it', async () => {
  const { probe } = keep(`${LIVE}; process.send({ id: 0 })`)
  await expect.poll(() => probe.check().catch((error) => error.message)).toMatch(/no answer within/)
})

it('the probe gives the reasons of the probes that failed, else their names', async () => {
  const answering = (answer: object[]) =>
    `process.on('message', ({ id }) => process.send({ id, answer: ${JSON.stringify(answer)} }))
     process.send({ id: 0 })`
  const failing = async (answer: object[]) => {
    const { probe } = keep(answering(answer))
    return () => probe.check().then(String, String)
  }
  const silent = [{ name: 'queue' }, { name: 'canaries' }]
  await expect
    .poll(await failing(silent))
    .toBe('ReadableError: the process of the workers: queue failed; canaries failed')
  const known = [{ name: 'queue' }, { name: 'schema', reason: 'run npm run migrate' }]
  await expect
    .poll(await failing(known))
    .toBe('ReadableError: the process of the workers: queue failed; run npm run migrate')
  await expect.poll(await failing([])).toBe('undefined')
})

it('workers are not started before the database is migrated', async () => {
  let finish = () => {}
  const migrated = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { lines, probe } = keep(LIVE, migrated)
  await expect(probe.check()).rejects.toThrow('has not started yet')
  expect(lines).toEqual([])
  finish()
  await expect.poll(() => lines.join('')).toContain('the process of the workers was started')
})

it('lines that workers print in pieces reach the log whole', async () => {
  const { lines } =
    keep(`process.stdout.write('{"half":'); setTimeout(() => process.stdout.write('1}\\nrest'), 200)
    setTimeout(() => process.exit(0), 400)`)
  await expect.poll(() => lines).toEqual(expect.arrayContaining(['{"half":1}\n', 'rest\n']))
})
