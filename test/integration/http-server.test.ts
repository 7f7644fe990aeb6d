import { once } from 'node:events'
import { Agent, type RequestListener, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApiApp } from '../../src/http/app.ts'
import {
  allowLongRequest,
  ListenError,
  type RunningServer,
  type ServerTimeouts,
  startServer,
} from '../../src/http/server.ts'
import { openSocket, send } from '../support/http.ts'
import { eventually, SLOWNESS } from '../support/patience.ts'

/** Short time-outs, so that a client that is too slow is closed soon. */
const SHORT: ServerTimeouts = {
  requestTimeout: Math.ceil(300 * SLOWNESS),
  headersTimeout: Math.ceil(150 * SLOWNESS),
  connectionsCheckingInterval: 50,
  keepAliveTimeout: 100,
}

let running: RunningServer[]
let logged: string
const log = pino(
  {},
  {
    write: (line) => {
      logged += line
    },
  },
)

beforeEach(() => {
  running = []
  logged = ''
})
afterEach(() => Promise.all(running.map((server) => server.close(0))))

async function start(
  handler: RequestListener,
  timeouts?: ServerTimeouts,
  ending?: AbortSignal,
): Promise<RunningServer> {
  const parts = { host: '127.0.0.1', port: 0, variable: 'PORT' as const, handler, log }
  const server = await startServer({ ...parts, ...(timeouts && { timeouts }), ...(ending && { ending }) })
  running.push(server)
  return server
}

/** The code of the error with which a connection fails; undefined for one that is accepted, which is closed again. */
async function connectError(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1')
  const outcome = once(socket, 'connect').then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
  return outcome.finally(() => socket.destroy())
}

const ok: RequestListener = (req, res) => {
  req.resume()
  req.once('end', () => res.end('ok'))
}

describe('the HTTP server', () => {
  test('closes the connection of a client that sends its headers or its body too slowly', async () => {
    const { url } = await start(ok, SHORT)
    const silent = await openSocket(url)
    const head = await openSocket(url)
    const body = await openSocket(url)
    head.socket.write('POST / HTTP/1.1\r\nhost: x\r\nx-slow: ')
    body.socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n')
    for (const { socket } of [head, body]) {
      const trickle = setInterval(() => socket.write('a'), 20)
      for (const end of ['data', 'close']) socket.once(end, () => clearInterval(trickle))
    }
    const answers = await Promise.all([silent.closed, head.closed, body.closed])
    expect(answers).toEqual(Array(3).fill(expect.stringMatching(/^HTTP\/1.1 408 /)))
    expect((await send(url)).body).toBe('ok')
  })

  test('does not cut a request that may be long, and closes the next slow one on the same connection', async () => {
    const { url } = await start((req, res) => {
      if (req.url === '/long') allowLongRequest(req)
      ok(req, res)
    }, SHORT)
    const { socket, closed } = await openSocket(url)
    let answer = ''
    socket.on('data', (data: string) => {
      answer += data
    })
    socket.write('POST /long HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
    const trickle = setInterval(() => socket.write('1\r\na\r\n'), 20)
    await sleep(4 * 300 * SLOWNESS)
    clearInterval(trickle)
    expect(answer).toBe('')
    socket.write('0\r\n\r\n')
    await eventually(async () => answer.endsWith('ok\r\n0\r\n\r\n') || answer.endsWith('\r\n\r\nok'))
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n')
    const slow = setInterval(() => socket.write('a'), 20)
    expect(await closed.finally(() => clearInterval(slow))).toContain('HTTP/1.1 408 ')
  })

  test('cuts off an answer that has begun when the rest of its request is malformed', async () => {
    const { url } = await start((_req, res) => void res.write('begun'))
    const { socket, closed } = await openSocket(url)
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
    await once(socket, 'data')
    socket.write('no chunk\r\n')
    expect((await closed).match(/HTTP\/1\.1/g)).toHaveLength(1)
  })

  test('closes a connection that stays idle', async () => {
    const { url } = await start(ok, SHORT)
    const { socket, closed } = await openSocket(url)
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(await closed).toMatch(/^HTTP\/1.1 200 OK/)
  })

  test.each(['PORT', 'OPS_PORT'] as const)(
    'fails to start on a taken port with an error that names the port and %s',
    async (variable) => {
      const { port } = await start(ok)
      const error = await startServer({ host: '127.0.0.1', port, variable, handler: ok, log }).catch((e) => e)
      expect(error).toBeInstanceOf(ListenError)
      const advice = `the port is in use, set ${variable} to another`
      expect(error.message).toBe(`Cannot listen on 127.0.0.1:${port}: ${advice}.`)
    },
  )

  test('fails to start on an address of another machine with an error that names the variable', async () => {
    const parts = { host: '192.0.2.1', port: 0, variable: 'OPS_PORT' as const, handler: ok, log }
    await expect(startServer(parts)).rejects.toThrow(
      '192.0.2.1:0: OPS_HOST is not an address of this machine',
    )
  })

  test('has an address that works from this machine if it listens on all', async () => {
    const parts = { host: '0.0.0.0', port: 0, variable: 'PORT' as const, handler: ok, log }
    const server = await startServer(parts)
    running.push(server)
    expect(server.url).toBe(`http://localhost:${server.port}`)
  })
})

describe('closing the HTTP server', () => {
  const agent = new Agent({ keepAlive: true })
  afterEach(() => agent.destroy())

  test('lets a running request end, accepts no new one, and closes connections that become idle', async () => {
    let finish: (() => void) | undefined
    const { url, port, close } = await start((_req, res) => {
      finish = () => res.end('done')
    })
    const answered = once(request(url, { agent }).end(), 'response')
    await expect.poll(() => finish).toBeDefined()
    const closing = close(10_000)
    await expect.poll(() => connectError(port)).toBe('ECONNREFUSED')
    finish?.()
    const [res] = await answered
    expect(await text(res)).toBe('done')
    const begin = performance.now()
    await closing
    expect(performance.now() - begin).toBeLessThan(5_000)
  })

  test('is preceded by answers that end their connections, so that clients go elsewhere', async () => {
    const ending = new AbortController()
    const { url } = await start(ok, undefined, ending.signal)
    const ask = async () => {
      const [res] = await once(request(url, { agent }).end(), 'response')
      await text(res)
      return res.headers.connection
    }
    expect(await ask()).toBe('keep-alive')
    ending.abort()
    expect(await ask()).toBe('close')
  })

  test('closes idle connections at once', async () => {
    const { url, close } = await start(ok)
    const [res] = await once(request(url, { agent }).end(), 'response')
    await text(res)
    const begin = performance.now()
    await close(10_000)
    expect(performance.now() - begin).toBeLessThan(5_000)
  })

  test('ends requests at the deadline that have not ended by themselves', async () => {
    const { url, close } = await start(() => {})
    const { socket, closed } = await openSocket(url)
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await expect.poll(() => socket.bytesWritten).toBeGreaterThan(0)
    const begin = performance.now()
    await close(200)
    expect(await closed).toBe('')
    expect(performance.now() - begin).toBeLessThan(5_000)
  })
})

describe('the API app', () => {
  const router = express.Router()
  router.get('/here', (_req, res) => res.json({ found: true }))
  router.get('/things/:id', (_req, res) => res.json({}))
  router.get('/broken', () => {
    throw new Error('canary: secret detail')
  })
  const app = createApiApp({ routers: [router], log })

  test('serves its routers with security headers and without `x-powered-by`', async () => {
    const { url } = await start(app)
    const reply = await send(`${url}/here`)
    expect(JSON.parse(reply.body)).toEqual({ found: true })
    expect(reply.headers['x-powered-by']).toBeUndefined()
    expect(reply.headers['content-security-policy']).toMatch(/default-src 'self'/)
  })

  test.each([
    ['/nowhere', 404, 4040001, 'NOT_FOUND'],
    ['/things/%zz', 400, 4000001, 'BAD_REQUEST'],
    ['/broken', 500, 5000001, 'INTERNAL_ERROR'],
  ])('answers %s with %i in the common error shape', async (path, status, code, message) => {
    const { url } = await start(app)
    const reply = await send(url + path)
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toEqual({
      error_code: code,
      error_message: message,
      error_description: expect.any(String),
      payload: {},
    })
  })

  test('logs an error, and does not show it to the client', async () => {
    const { url } = await start(app)
    const reply = await send(`${url}/broken`)
    expect(reply.body).not.toMatch(/canary/)
    expect(logged).toMatch(/a request failed/)
  })
})
