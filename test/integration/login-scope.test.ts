import { readFile } from 'node:fs/promises'
import express from 'express'
import { describe, expect, test } from 'vitest'
import { createConsole } from '../../src/console/routes.ts'
import { createLogger } from '../../src/logger.ts'
import { createLogins } from '../../src/logins/logins.ts'
import { routesOf } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, store } from '../support/inbox.ts'
import { cookieOf, HASH, PASSWORD, postLogin, usersFile } from '../support/logins.ts'
import { opsParts, startOps } from '../support/ops.ts'
import { createOrg, createRoom, provisionOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { subscribe } from '../support/push.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'

const log = createLogger({ logLevel: 'silent' })
const { db } = await createTestDatabase()
const receiver = await startWebhookReceiver('file')

/** An org with something on every page: every name in it, its customer and its number begin with `mark`. */
async function fill(org: TestOrg, mark: string, phone: string) {
  const [number = ''] = org.phones
  const room = await createRoom(db, org, { customer: `+${phone}` })
  const left = await createRoom(db, org, { customer: `+${phone}1`, deactivatedAt: new Date() })
  await deliver(db, post(number, message({ from: phone }), message({ from: `${phone}2` })))
  const wabas = [
    {
      id: `${mark}-waba`,
      name: `${mark} waba`,
      phones: [{ id: `${mark}-new`, replaces: number, display_phone_number: `+${phone.slice(0, 7)}0199` }],
    },
  ]
  await provisionOrg(db, {
    id: org.id,
    name: `${mark} org`,
    wabas,
    users: [
      { id: `${mark}-ann`, name: `${mark} ann`, email: `${mark}@example.com` },
      { id: `${mark}-bob`, removed: true },
    ],
  })
  await db.$client.query(`update waba_phones set stopped_at = now(), stopped_reason = $2 where org_id = $1`, [
    org.id,
    `${mark} reason`,
  ])
  await db.$client.query(`update contacts set crm_id = $2 || right(id::text, 12) where org_id = $1`, [
    org.id,
    mark,
  ])
  const { endpointId } = await subscribe(db, org, receiver, { description: `${mark} endpoint` })
  return { org, room, left, endpointId, phone, mark }
}

const own = await fill(await createOrg(db), 'own', '13125550001')
const foreign = await fill(await createOrg(db), 'foreign', '14155550001')
const [dead = 0] = await store(db, Buffer.from('no JSON of foreign'))
await db.$client.query(`update inbox set state = 'dead', error = 'e' where id = $1`, [dead])

const file = await usersFile(
  ...['operator', 'viewer'].flatMap((role) => [
    `${role} ${role} * ${HASH}`,
    `own-${role} ${role} ${encodeURIComponent(own.org.id)} ${HASH}`,
  ]),
)
const url = await startOps(db, {
  logins: createLogins({
    login: undefined,
    usersFile: file.path,
    secretsKey: Buffer.from(SECRETS_KEY, 'base64'),
    log,
  }),
})

type World = typeof own
type Of = 'org' | 'all'

const roomPath = ({ org, room }: World, change: string) =>
  `/console/customer/rooms/${org.id}/${room.id}/${change}`
const endpointPath = ({ org, endpointId }: World, change = '') =>
  `/console/webhooks/${org.id}/${endpointId}${change}`
const retryPath = ({ org, room }: World) => `/console/stuck/sends/${org.id}/${room.id}/${room.id}/retry`
const byOrg =
  (path: string) =>
  ({ org }: World) =>
    `/console${path}?org=${encodeURIComponent(org.id)}`
const fixed = (path: string) => () => `/console${path}`

/** Every route of the console, whether it is of orgs or of the whole installation, and its address for an org. */
const ROUTES: Record<string, [of: Of, path: (world: World) => string]> = {
  'GET /assets/{hash}/{name}': ['org', fixed('/assets/0/console.css')],
  'GET /': ['org', byOrg('')],
  'GET /stream': ['org', byOrg('/stream')],
  'GET /customer': ['org', (world) => `${byOrg('/customer')(world)}&id=${world.room.customerId}`],
  'GET /customer/suggest': ['org', (world) => `${byOrg('/customer/suggest')(world)}&q=${world.phone}`],
  'POST /customer/rooms/{org}/{room}/deactivate': ['org', (world) => roomPath(world, 'deactivate')],
  'POST /customer/rooms/{org}/{room}/activate': ['org', (world) => roomPath(world, 'activate')],
  'POST /customer/rooms/{org}/{room}/reassign': ['org', (world) => roomPath(world, 'reassign')],
  'GET /team': ['org', byOrg('/team')],
  'GET /stuck': ['org', byOrg('/stuck')],
  'GET /stuck/sends': ['org', byOrg('/stuck/sends')],
  'GET /stuck/held': ['org', byOrg('/stuck/held')],
  'GET /stuck/dead': ['all', fixed('/stuck/dead')],
  'GET /stuck/parked': ['all', fixed('/stuck/parked')],
  'POST /stuck/replay': ['all', fixed('/stuck/replay')],
  'POST /stuck/sends/retry': ['all', fixed('/stuck/sends/retry')],
  'POST /stuck/runs/{id}/continue': ['all', fixed('/stuck/runs/1/continue')],
  'POST /stuck/runs/{id}/end': ['all', fixed('/stuck/runs/1/end')],
  'POST /stuck/sends/{org}/{room}/{id}/retry': ['org', retryPath],
  'GET /stuck/{id}': ['all', fixed(`/stuck/${dead}`)],
  'POST /stuck/{id}/replay': ['all', fixed(`/stuck/${dead}/replay`)],
  'GET /lifecycle': ['org', byOrg('/lifecycle')],
  'GET /webhooks': ['org', byOrg('/webhooks')],
  'GET /webhooks/{org}/{id}': ['org', endpointPath],
  'POST /webhooks/{org}/{id}/test': ['org', (world) => endpointPath(world, '/test')],
  'POST /webhooks/{org}/{id}/enable': ['org', (world) => endpointPath(world, '/enable')],
  'POST /webhooks/{org}/{id}/replay': ['org', (world) => endpointPath(world, '/replay')],
  'GET /doctor': ['all', fixed('/doctor')],
}

/** What only the other org's data contain. */
const FOREIGN = new RegExp(
  `foreign|415 ?555|\\b${foreign.org.id}\\b|${foreign.room.id}|${foreign.endpointId}`,
)

/** Asks as a person; of a stream it reads what comes within a moment. */
async function askAs(name: string) {
  const cookie = cookieOf(await postLogin(url, { name, password: PASSWORD }))
  return async (path: string, { method = 'GET', body = '', ms = 60_000 } = {}) => {
    const headers = {
      cookie,
      ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    const end = new AbortController()
    const response = await fetch(url + path, {
      method,
      headers,
      redirect: 'manual',
      ...(method === 'POST' && { body }),
      signal: end.signal,
    })
    let text = ''
    const timer = setTimeout(() => end.abort(), ms)
    try {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
    } catch {
      // The time was up.
    }
    clearTimeout(timer)
    return { status: response.status, body: text }
  }
}

const people = {
  operator: await askAs('operator'),
  viewer: await askAs('viewer'),
  'own-operator': await askAs('own-operator'),
  'own-viewer': await askAs('own-viewer'),
}

/** The status that the roles and the scope prescribe; undefined: any but 403 and 404. */
function refusalOf(person: string, world: World, method: string, of: Of): number | undefined {
  if (method === 'POST' && person.endsWith('viewer')) return 403
  if (!person.startsWith('own')) return undefined
  if (of === 'all') return 403
  return world === foreign ? 404 : undefined
}

describe('roles and scopes', () => {
  test('hold on every route of the console', async () => {
    const routes = routesOf(express().use('/console', createConsole(opsParts(db))))
    const keys = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(keys.toSorted()).toEqual(Object.keys(ROUTES).toSorted())
    const wrong: unknown[] = []
    for (const [route, [of, pathOf]] of Object.entries(ROUTES)) {
      if (route.includes('assets')) continue
      const [method = ''] = route.split(' ')
      for (const world of [own, foreign])
        for (const [name, ask] of Object.entries(people)) {
          const refusal = refusalOf(name, world, method, of)
          const reply = await ask(pathOf(world), {
            method,
            body: `customer=${world.room.customerId}`,
            ...(route.includes('stream') && { ms: 1_500 }),
          })
          const isRight = refusal ? reply.status === refusal : ![401, 403].includes(reply.status)
          if (!isRight) wrong.push([route, name, world.mark, reply.status])
          if (name.startsWith('own') && FOREIGN.test(reply.body.replaceAll(pathOf(world), '')))
            wrong.push([route, name, 'shows', FOREIGN.exec(reply.body)?.[0]])
        }
    }
    expect(wrong).toEqual([])
  })

  test('keep the data of other orgs from every page that no org is chosen for', async () => {
    for (const [path, shown] of [
      ['', 'Held'],
      ['/customer?q=13125550001', own.room.customerId],
      ['/customer/suggest?q=1312', '13125550001'],
      ['/team', 'own ann'],
      ['/stuck', own.org.id],
      ['/lifecycle', 'own org'],
      ['/webhooks', 'own endpoint'],
    ] as const) {
      for (const name of ['own-viewer', 'own-operator'] as const) {
        const { status, body } = await people[name](`/console${path}`)
        expect([path, status, FOREIGN.exec(body)?.[0]]).toEqual([path, 200, undefined])
        expect([path, body.includes(shown)]).toEqual([path, true])
        expect(body).not.toMatch(/console\/doctor|\/queues\//)
      }
      const all = await people.viewer(`/console${path}`)
      expect([path, all.status]).toEqual([path, 200])
    }
    for (const path of ['/customer?q=14155550001', '/customer/suggest?q=1415'])
      expect((await people['own-operator'](`/console${path}`)).body).not.toContain(foreign.room.customerId)
  })

  test('keep the messages and figures of other orgs from the live feed', async () => {
    const { body } = await people['own-viewer']('/console/stream', { ms: 4_000 })
    expect(body).toMatch(/event: ?rows/)
    expect(body).toContain('312 555 0001')
    expect(body).toMatch(/event: ?figures/)
    expect(FOREIGN.exec(body)).toBeNull()
    expect((await people.viewer('/console/stream', { ms: 4_000 })).body).toMatch(FOREIGN)
  })

  test('keep what shows the whole installation to people who may see all orgs', async () => {
    for (const path of ['/queues/', '/queues/api/queues', '/dead-letters', `/dead-letters/${dead}`]) {
      expect([path, (await people['own-operator'](path)).status]).toEqual([path, 403])
      expect([path, (await people.viewer(path)).status]).not.toEqual([path, 403])
    }
    const tricks = [
      `/console/team?org=${own.org.id}&org=${foreign.org.id}`,
      `/console?org[]=${foreign.org.id}`,
    ]
    for (const path of [
      ...tricks,
      `/console/TEAM/?org=${foreign.org.id}`,
      `/console/team?org=%20${foreign.org.id}`,
    ]) {
      const { body } = await people['own-operator'](path)
      expect([path, FOREIGN.exec(body.replaceAll(foreign.org.id, ''))?.[0]]).toEqual([path, undefined])
    }
    expect((await people['own-operator'](`/console/TEAM/?org=${foreign.org.id}`)).status).toBe(404)
  })

  test('change with the users file', async () => {
    const lines = (await readFile(file.path, 'utf8')).trim().split('\n')
    await file.write(...lines.map((line) => line.replace(own.org.id, foreign.org.id)))
    expect((await people['own-viewer'](byOrg('/team')(own))).status).toBe(404)
    expect((await people['own-viewer'](byOrg('/team')(foreign))).body).toContain('foreign ann')
    await file.write(...lines)
  })
})
