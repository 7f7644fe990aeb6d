import type { ServerResponse } from 'node:http'
import { type GraphRequest, newSentId, startStandInGraph } from '../../../src/demo/stand-in-graph.ts'

/**
 * What the stand-in Graph API does with a send: takes it and says so (`ok`); refuses it for certain (`500`, `429`);
 * takes it, and the answer is lost: never sent (`stall`), cut off (`reset`), or a gateway's word (`junk`).
 */
export type GraphMode = 'ok' | '500' | '429' | 'stall' | 'reset' | 'junk'

/** A message Meta took; `known`: the sender was told so. */
export type Taken = { callback: string; phoneId: string; to: string; wamid: string; known: boolean }

export type FaultyGraph = {
  url: string
  /** What happens to all sends from now on. */
  set(mode: GraphMode): void
  /** What happens to the next sends, one each, before `set`'s mode applies again. */
  script: GraphMode[]
  /** All messages taken so far, whether or not the answer reached the sender. */
  taken: Taken[]
  requests(): number
  /** Told of each message taken, a moment later: this is what status webhooks are made of. */
  onTaken(listener: (taken: Taken) => void): void
  stop(): void
}

const TAKES: readonly GraphMode[] = ['ok', 'stall', 'reset', 'junk']
const ERRORS = {
  '500': { code: 131016, message: 'Service unavailable' },
  '429': { code: 130429, message: 'Rate limit hit' },
}

/** A Graph API on a free loopback port that keeps account of what it took. */
export async function startFaultyGraph(): Promise<FaultyGraph> {
  const taken: Taken[] = []
  const script: GraphMode[] = []
  const listeners: ((taken: Taken) => void)[] = []
  const stalled = new Set<ServerResponse>()
  let mode: GraphMode = 'ok'

  const take = ({ path, body }: GraphRequest, how: GraphMode, wamid: string) => {
    const one: Taken = {
      callback: String(body.biz_opaque_callback_data),
      phoneId: decodeURIComponent(path.split('/')[2] ?? ''),
      to: String(body.to ?? body.recipient),
      wamid,
      known: how === 'ok',
    }
    taken.push(one)
    for (const listener of listeners) listener(one)
  }
  const { url, requests, stop } = await startStandInGraph((res, request) => {
    const how = script.shift() ?? mode
    const wamid = newSentId()
    if (TAKES.includes(how)) take(request, how, wamid)
    answer(how, res, wamid, stalled)
  })
  return {
    url,
    set(next) {
      mode = next
      for (const res of stalled) res.destroy()
      stalled.clear()
    },
    script,
    taken,
    requests: () => requests.length,
    onTaken: (listener) => void listeners.push(listener),
    stop,
  }
}

function answer(how: GraphMode, res: ServerResponse, wamid: string, stalled: Set<ServerResponse>): void {
  const json = (status: number, body: unknown) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (how === 'ok') json(200, { messaging_product: 'whatsapp', contacts: [], messages: [{ id: wamid }] })
  else if (how === 'stall') stalled.add(res)
  else if (how === 'reset') res.socket?.resetAndDestroy()
  else if (how === 'junk') res.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>')
  else json(Number(how), { error: ERRORS[how] })
}
