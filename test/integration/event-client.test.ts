import type dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { createEventClient } from '../../src/event-push/post-event.ts'
import { signedHeaders } from '../../src/event-push/sign.ts'
import { newSecret } from '../../src/webhook-endpoints/secret.ts'
import { atEndOf } from '../support/at-end.ts'

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEndOf('test', () => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** A receiver and the number of connections that were made to it. */
async function receiver(answer: RequestListener) {
  const seen = { connections: 0, url: '' }
  const server = createServer(answer).on('connection', () => {
    seen.connections += 1
  })
  seen.url = `http://127.0.0.1:${await listen(server)}/`
  return seen
}

function client(options: Partial<Parameters<typeof createEventClient>[0]> = {}) {
  const made = createEventClient({ allowPrivate: true, ...options })
  atEndOf('test', made.close)
  return made
}

/** DNS that gives these addresses, one list for each look-up; the last list stays. */
function dnsOf(...lists: { address: string; family: number }[][]): typeof dns.lookup {
  let asked = 0
  const lookup = (_name: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(null, lists[Math.min(asked++, lists.length - 1)]!)
  return lookup as unknown as typeof dns.lookup
}
const v4 = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }))

const request = (url: string, body = '{}') => ({ url, headers: { 'user-agent': 'test' }, body })

describe('a request', () => {
  it('is signed so that the verifier of Standard Webhooks accepts it, by the new and by the former secret', async () => {
    const [secret, former] = [newSecret(), newSecret()]
    let got: { headers: IncomingMessage['headers']; body: string } | undefined
    const { url } = await receiver(async (req, res) => {
      got = { headers: req.headers, body: await text(req) }
      res.writeHead(204).end()
    })
    const body = JSON.stringify({ type: 'message.received', text: 'é 🎉 </script>' })
    const headers = signedHeaders({ id: 'evt_1', at: new Date(), body, secrets: [secret, former] })
    expect(await client().post({ url, headers, body })).toMatchObject({ status: 204 })
    for (const one of [secret, former])
      expect(new Webhook(one).verify(got!.body, got!.headers as Record<string, string>)).toEqual(
        JSON.parse(body),
      )
    const verify = (changed: string, by: string) => () =>
      new Webhook(by).verify(changed, got!.headers as Record<string, string>)
    expect(verify(body, newSecret())).toThrow('No matching signature')
    expect(verify(`${body} `, secret)).toThrow('No matching signature')
  })

  it('gives the status, Retry-After and the beginning of the answer', async () => {
    const { url } = await receiver((_req, res) =>
      res.writeHead(429, { 'retry-after': '7' }).end('é'.repeat(5_000)),
    )
    const { text: start, ...answer } = (await client().post(request(url))) as { text: string }
    expect(answer).toEqual({ status: 429, retryAfter: '7', ms: expect.any(Number) })
    expect(Buffer.byteLength(start)).toBeLessThanOrEqual(1_026)
    expect(start).toMatch(/^é{500}/)
  })

  it('follows no redirect', async () => {
    const target = await receiver((_req, res) => res.end())
    const { url } = await receiver((_req, res) => res.writeHead(307, { location: target.url }).end())
    expect(await client().post(request(url))).toMatchObject({ status: 307 })
    expect(target.connections).toBe(0)
  })

  it('uses one connection again, and a new one when the other side has closed it meanwhile', async () => {
    const seen = await receiver((_req, res) => res.end())
    const one = client()
    for (let n = 0; n < 3; n += 1) expect(await one.post(request(seen.url))).toMatchObject({ status: 200 })
    expect(seen.connections).toBe(1)
    let posts = 0
    const closing = await receiver((_req, res) => {
      posts += 1
      if (posts === 2) res.socket?.resetAndDestroy()
      else res.end()
    })
    for (let n = 0; n < 2; n += 1) expect(await one.post(request(closing.url))).toMatchObject({ status: 200 })
    expect(posts).toBe(3)
  })

  it('reads an endless answer up to 64 kB only', async () => {
    const { url } = await receiver((_req, res) => {
      const more = () => {
        while (res.writable && res.write('x'.repeat(10_000)));
      }
      res.on('drain', more)
      more()
    })
    expect(await client().post(request(url))).toMatchObject({ status: 200 })
  })

  it('ends at its deadline without an answer, or with the status if only the body is late', async () => {
    const deadlineMs = 300
    const silent = await receiver(() => {})
    const began = performance.now()
    expect(await client({ deadlineMs }).post(request(silent.url))).toMatchObject({ error: 'DEADLINE' })
    expect(performance.now() - began).toBeGreaterThan(290)
    const slow = await receiver((_req, res) => void res.writeHead(200).write('part'))
    expect(await client({ deadlineMs }).post(request(slow.url))).toMatchObject({ status: 200, text: 'part' })
  })

  it('that is reset, refused, or answered with something else than HTTP has no answer', async () => {
    const resets = await receiver((_req, res) => void res.socket?.resetAndDestroy())
    expect(await client().post(request(resets.url))).toMatchObject({ error: 'ECONNRESET' })
    const port = await listen(createTcpServer((socket) => socket.end('nonsense\r\n\r\n')))
    expect(await client().post(request(`http://127.0.0.1:${port}/`))).toMatchObject({ status: undefined })
    const server = createTcpServer()
    const gone = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    expect(await client().post(request(`http://127.0.0.1:${gone}/`))).toMatchObject({
      error: 'ECONNREFUSED',
    })
  })
})

describe('an address that is not allowed', () => {
  it.each(['http://127.0.0.1:1/', 'https://127.0.0.1:1/', 'https://[::1]:1/', 'https://[::ffff:10.0.0.1]/'])(
    'is refused without a connection in %s',
    async (url) => {
      const one = client({ allowPrivate: false })
      expect(await one.post(request(url))).toMatchObject({ error: 'REFUSED_ADDRESS' })
    },
  )

  it('is refused where DNS leads to it', async () => {
    for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '100.64.0.1']) {
      const one = client({ allowPrivate: false, lookup: dnsOf(v4(address)) })
      expect(await one.post(request('https://crm.example/'))).toMatchObject({ error: 'REFUSED_ADDRESS' })
    }
  })

  it('is refused when DNS leads to it later on', async () => {
    const seen = await receiver((_req, res) => res.writeHead(200, { connection: 'close' }).end())
    const port = new URL(seen.url).port
    const one = client({ lookup: dnsOf(v4('127.0.0.1'), v4('169.254.169.254')) })
    const url = `http://crm.example:${port}/`
    expect(await one.post(request(url))).toMatchObject({ status: 200 })
    expect(await one.post(request(url))).toMatchObject({ error: 'REFUSED_ADDRESS' })
    expect(seen.connections).toBe(1)
  })

  it('is left out where DNS names others too', async () => {
    const seen = await receiver((_req, res) => res.end())
    const one = client({ lookup: dnsOf(v4('169.254.169.254', '10.0.0.1', '127.0.0.1')) })
    const url = `http://crm.example:${new URL(seen.url).port}/`
    expect(await one.post(request(url))).toMatchObject({ status: 200 })
  })

  it('gets no byte, even if DNS had given another one', async () => {
    let bytes = 0
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (part) => {
        bytes += part.length
      })
    })
    const port = await listen(server)
    let read = 0
    const lying = {
      family: 6,
      get address() {
        read += 1
        return read === 1 ? '127.0.0.1' : '::ffff:127.0.0.1'
      },
    }
    const one = client({ lookup: dnsOf([lying]) })
    expect(await one.post(request(`http://crm.example:${port}/`))).toMatchObject({ error: 'REFUSED_ADDRESS' })
    expect(read).toBeGreaterThan(1)
    await sleep(50)
    expect(bytes).toBe(0)
  })

  it('by http is every one but loopback', async () => {
    const one = client({ lookup: dnsOf(v4('10.0.0.1')) })
    for (const url of ['http://10.0.0.1/', 'http://8.8.8.8/', 'http://crm.example/'])
      expect(await one.post(request(url))).toMatchObject({ error: 'REFUSED_ADDRESS' })
  })
})
