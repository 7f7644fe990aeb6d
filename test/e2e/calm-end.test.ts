import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { freePort } from '../../src/db/embedded/server.ts'
import { sign } from '../../src/http/signature.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { SLOWNESS } from '../support/patience.ts'
import { APP_SECRET } from '../support/post.ts'
import { startedWorkers, startUsher } from '../support/process.ts'
import { stillRunning } from '../support/programs.ts'
import { message, post } from '../support/webhooks.ts'

/** A machine that is busy with other things is given less to do, so that it does not refuse for that reason. */
const PER_SECOND = 150 / SLOWNESS
const BEFORE_MS = 1_000
const DELAY_SECONDS = 2

/** Posts at a steady rate, every other time over a connection of its own, and counts the outcomes. */
function startTraffic(port: number, createBody: () => Buffer) {
  const agents = [new Agent({ keepAlive: true, maxSockets: 10 }), new Agent({ keepAlive: false })]
  const outcomes: Record<string, number> = {}
  const running = new Set<Promise<void>>()
  const postOne = async (agent: Agent) => {
    const body = createBody()
    const headers = { 'x-hub-signature-256': sign(body, APP_SECRET) }
    const target = { host: '127.0.0.1', port, path: '/webhooks/whatsapp', method: 'POST' }
    try {
      const [response] = await once(request({ ...target, agent, headers }).end(body), 'response')
      await once(response.resume(), 'end')
      return String(response.statusCode)
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code)
    }
  }
  const count = async (agent: Agent) => {
    const outcome = await postOne(agent)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  const began = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1_000) * PER_SECOND; sent < due; sent++) {
      const one = count(agents[sent % 2]!).finally(() => running.delete(one))
      running.add(one)
    }
  }, 5)
  return async () => {
    clearInterval(timer)
    await Promise.all(running)
    for (const agent of agents) agent.destroy()
    return outcomes
  }
}

const ROLES = [
  { title: 'a single server', role: 'server' },
  { title: 'a process with its workers in a second one', role: 'all' },
] as const

it.each(ROLES)(
  'a restart of $title under traffic cuts no connection; log and /ready show it',
  async ({ role }) => {
    const { db, url: DATABASE_URL } = await createTestDatabase()
    const { phones } = await createOrg(db)
    const PORT = String(await freePort())
    const env = { DATABASE_URL, PORT, SHUTDOWN_DELAY_SECONDS: String(DELAY_SECONDS), PROCESSES: '2' }
    const first = await startUsher(role, env)
    const pids = [first.pid, ...(role === 'all' ? [await startedWorkers(first)] : [])]
    const stopTraffic = startTraffic(Number(PORT), () => post(phones[0]!, message({})))
    await sleep(BEFORE_MS)
    const exited = first.stop()
    await first.printed(/"Usher stops/)
    const ready = await fetch(`${first.opsUrl}/ready`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'stopping' }])
    expect(await exited).toBe(0)
    expect(first.output().match(/"Usher (stops|has stopped)/g)).toEqual([
      '"Usher stops',
      '"Usher has stopped',
    ])
    expect(first.output()).not.toContain('did not stop cleanly')
    expect(await stillRunning(pids)).toEqual([])
    await startUsher(role, env)
    await sleep(BEFORE_MS)
    const { '200': stored = 0, ECONNREFUSED: _noServer, ...others } = await stopTraffic()
    expect(others).toEqual({})
    expect(stored).toBeGreaterThan((PER_SECOND * (DELAY_SECONDS * 1_000 + BEFORE_MS)) / 1_000 / 2)
    const rows = async () => {
      const text = 'select (select count(*) from inbox) + (select count(*) from messages) as n'
      return Number((await db.$client.query(text)).rows[0].n)
    }
    // One transaction takes a delivery from the inbox into the ledger.
    await expect.poll(rows).toBe(stored)
  },
)
