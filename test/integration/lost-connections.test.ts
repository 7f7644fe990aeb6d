import { connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import pg from 'pg'
import { it, type TestContext } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { endLostConnections } from '../../src/db/lost-connections.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { createTestDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const { url, pool } = await createTestDatabase()
await pool.query('create table things as select 1 as id')

/** A pool of three connections behind a proxy, and the errors that its `onLost` got. */
async function behind(t: TestContext, proxyPort: number) {
  const reported: string[] = []
  const through = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(proxyPort) }).href
  const onLost = ({ message }: Error) => void reported.push(message)
  const { db, close } = openDatabase(through, { max: 3, name: 'lost', onLost })
  t.onTestFinished(close)
  return { db, reported }
}

async function behindProxy(t: TestContext) {
  const { hostname: host, port } = new URL(url)
  const proxy = await startTcpProxy({ host, port: Number(port) })
  t.onTestFinished(proxy.close)
  return { proxy, ...(await behind(t, proxy.port)) }
}

const wait = (seconds: number) => pool.query('select pg_sleep($1)', [seconds])

it.concurrent('a statement on a connection that fell silent fails before its deadline, and its locks are released', async (t) => {
  const { proxy, db, reported } = await behindProxy(t)
  const work = inTransaction(db, async (tx) => {
    await tx.$client.query('select from things for update')
    proxy.silence(0)
    await tx.$client.query('select 1')
  })
  await t.expect(work).rejects.toThrow('Connection terminated unexpectedly')
  await t.expect.poll(() => reported).toEqual(['connections lost silently: 1'])
  await pool.query(`begin; set local lock_timeout = '10s'; select from things for update; commit`)
})

it.concurrent('idle connections that were silent for as long as a lost one are ended too', async (t) => {
  const { proxy, db, reported } = await behindProxy(t)
  await Promise.all([1, 2, 3].map(() => db.$client.query('select pg_sleep(0.1)')))
  await proxy.set('blackhole')
  await proxy.set('pass')
  await t.expect(db.$client.query('select 1')).rejects.toThrow('Connection terminated unexpectedly')
  await t.expect
    .poll(() => reported.filter((words) => words.startsWith('connections lost')))
    .toEqual(['connections lost silently: 3'])
  await Promise.all([1, 2, 3].map(() => db.$client.query('select 1')))
})

it.concurrent('a slow statement and a transaction that sends nothing for a while go on', async (t) => {
  const { db, reported } = await behindProxy(t)
  const idle = inTransaction(db, async (tx) => {
    await tx.$client.query('select 1')
    await wait(3)
    return (await tx.$client.query('select 2 as n')).rows
  })
  const slow = db.$client.query('select 3 as n from pg_sleep(3)')
  t.expect([await idle, (await slow).rows]).toEqual([[{ n: 2 }], [{ n: 3 }]])
  t.expect(reported).toEqual([])
})

it.concurrent('no connection is ended while PostgreSQL cannot be asked, or behind a pooler, which has process ids of its own', async (t) => {
  const { proxy, db } = await behindProxy(t)
  const ask = { text: 'select 1', query_timeout: 3_000 }
  await db.$client.query(ask)
  await proxy.set('blackhole')
  await t.expect(db.$client.query(ask)).rejects.toThrow('Query read timeout')

  const pooler = await startPooler(t)
  const pooled = await behind(t, pooler.port)
  await pooled.db.$client.query(ask)
  pooler.silence()
  await t.expect(pooled.db.$client.query(ask)).rejects.toThrow('Query read timeout')
})

it.concurrent('over TLS only a lost connection is ended', async (t) => {
  const server = await startTlsServer(t)
  const reported: number[] = []
  const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, max: 1, ssl: PSK_CLIENT, ...login() })
  pool.on('connect', (client) => client.on('error', () => undefined))
  t.onTestFinished(() => pool.end())
  endLostConnections(pool, url, (connections) => reported.push(connections))
  const client = await pool.connect()
  await client.query('select 1')
  await wait(2.5)
  await client.query('select 2')
  t.expect(reported).toEqual([])
  server.silence()
  await t.expect(client.query('select 3')).rejects.toThrow('Connection terminated unexpectedly')
  client.release(true)
  await t.expect.poll(() => reported).toEqual([1])
})

const PSK = Buffer.alloc(32, 7)
const PSK_OPTIONS = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' as const }
const PSK_CLIENT = {
  ...PSK_OPTIONS,
  pskCallback: () => ({ psk: PSK, identity: 'usher' }),
  checkServerIdentity: () => undefined,
}

const login = () => {
  const { username: user, password, pathname } = new URL(url)
  return { user, password: decodeURIComponent(password), database: pathname.slice(1) }
}

/** Speaks TLS, by a key that both sides have, in front of the server, which does not. */
async function startTlsServer(t: TestContext) {
  const { hostname: host, port } = new URL(url)
  const secure: Socket[] = []
  const tls = createTlsServer({ ...PSK_OPTIONS, pskCallback: () => PSK }, (socket) => {
    secure.push(socket)
    const upstream = connect({ host, port: Number(port) })
    socket.on('error', () => undefined).pipe(upstream)
    upstream.on('error', () => undefined).pipe(socket)
  })
  // PostgreSQL's own way to ask for TLS: a message, and S for yes.
  const server = createServer((client) => {
    client.once('data', () => {
      client.write('S')
      tls.emit('connection', client)
    })
  })
  return {
    port: await listen(t, server),
    silence() {
      for (const socket of secure) socket.unpipe().resume()
    },
  }
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Passes all bytes on, but for process ids: each is that of no backend. The first connection can be silenced. */
async function startPooler(t: TestContext) {
  const { hostname: host, port } = new URL(url)
  const first: Socket[] = []
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port) })
    first.push(client)
    client.on('error', () => undefined).pipe(upstream)
    upstream.on('error', () => undefined).on('close', () => client.destroy())
    upstream.on('data', (bytes) => client.write(withOtherPid(bytes)))
  })
  return {
    port: await listen(t, server),
    silence: () => void first[0]?.unpipe().resume(),
  }
}

/** `BackendKeyData`: K, length 12, process id, secret. */
function withOtherPid(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from([75, 0, 0, 0, 12]))
  if (at >= 0) bytes.writeInt32BE(bytes.readInt32BE(at + 5) + 500_000, at + 5)
  return bytes
}
