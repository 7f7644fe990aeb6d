import { createHistogram } from 'node:perf_hooks'
import { answerParent } from './child.ts'
import { type Connection, openConnection } from './generator-socket.ts'
import { type Batch, bodyAt, requestOf } from './requests.ts'

/** One run of the generator; without `rate` each connection sends when it was answered (closed loop). */
export type Load = Batch & {
  port: number
  connections: number
  seconds: number
  /** Requests a second, due whatever the answers do (open loop). */
  rate?: number
  /** Pause of a connection after an answer, in the closed loop. */
  pauseMs?: number
  /** Requests are signed when they are sent: for loads that are too long to be kept in memory. */
  isLong?: boolean
  /** Start over when the requests run out: for variants that do not read them. */
  repeat?: boolean
}

/**
 * Times are milliseconds since the epoch. By place: `sentAt`, when the request was due, and `answerMs`, how long its answer
 * took; 0: it was not answered 200.
 */
export type LoadResult = {
  startedAt: number
  lastAt: number
  accepted: number
  refused: number
  unanswered: number
  ranOut: boolean
  answer: { p50: number; p99: number; max: number }
  sentAt: Float64Array
  answerMs: Float32Array
}

/** First `prepare`, which signs all requests, then `go`. */
export type ToGenerator = { prepare: Load } | { go: true }

const PATIENCE_MS = 10_000

const now = () => performance.timeOrigin + performance.now()

let load: Load
let requests: Buffer[] = []

/** The load generator, a process of its own: while it runs, it only writes ready buffers to raw sockets. */
answerParent(async (message: ToGenerator): Promise<LoadResult | object> => {
  if ('go' in message) return run()
  load = message.prepare
  const before = load.isLong ? 0 : load.count
  requests = Array.from({ length: before }, (_, place) => requestOf(bodyAt(load, place)))
  return {}
})

async function run(): Promise<LoadResult> {
  const sentAt = new Float64Array(load.count)
  const answerMs = new Float32Array(load.count)
  const answers = createHistogram()
  const count = { sent: 0, answered: 0, accepted: 0 }
  let lastAt = 0
  let proceed: (connection: Connection) => void = () => {}

  const onAnswer = (connection: Connection, status: number) => {
    lastAt = now()
    const took = Math.max(1e-3, lastAt - connection.dueAt)
    answers.record(Math.round(took * 1e6))
    count.answered += 1
    if (status === 200) {
      count.accepted += 1
      answerMs[connection.place] = took
    }
    proceed(connection)
  }
  const send = (connection: Connection, dueAt: number) => {
    const place = count.sent++ % load.count
    Object.assign(connection, { place, dueAt })
    sentAt[place] = dueAt
    connection.socket.write(requests[place] ?? requestOf(bodyAt(load, place)))
  }
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () => openConnection(load.port, onAnswer)),
  )
  const startedAt = now()
  const deadline = startedAt + load.seconds * 1_000
  const loop = load.rate === undefined ? closedLoop(deadline, send, count) : openLoop(startedAt, send, count)
  proceed = loop.proceed
  for (const connection of connections) proceed(connection)
  await untilDone(() => loop.tick() && count.answered === count.sent, deadline + PATIENCE_MS)
  for (const { socket } of connections) socket.destroy()

  const taken = Math.min(count.sent, load.count)
  const ms = (ns: number) => ns / 1e6
  return {
    ...{ startedAt, lastAt, accepted: count.accepted, unanswered: count.sent - count.answered },
    refused: count.answered - count.accepted,
    ranOut: load.rate === undefined && !load.repeat && count.sent === load.count,
    answer: { p50: ms(answers.percentile(50)), p99: ms(answers.percentile(99)), max: ms(answers.max) },
    sentAt: sentAt.subarray(0, taken),
    answerMs: answerMs.subarray(0, taken),
  }
}

type Loop = {
  /** Called with each connection that is free. */
  proceed(connection: Connection): void
  /** Called every millisecond; true when everything has been sent. */
  tick(): boolean
}
type Send = (connection: Connection, dueAt: number) => void
type Count = { sent: number }

/** Each connection sends its next request when the last one is answered, after a pause if one is wanted. */
function closedLoop(deadline: number, send: Send, count: Count): Loop {
  const over = () => now() >= deadline || (count.sent >= load.count && !load.repeat)
  const next = (connection: Connection) => {
    if (!over()) send(connection, now())
  }
  const { pauseMs } = load
  return { proceed: pauseMs ? (c) => void setTimeout(next, pauseMs, c) : next, tick: over }
}

/** Requests fall due at a fixed rate, whatever the answers do; latencies count from when they were due. */
function openLoop(startedAt: number, send: Send, count: Count): Loop {
  const rate = load.rate ?? 1
  const total = Math.min(load.count, Math.round(rate * load.seconds))
  // In turn, so that none idles until the server closes it.
  const idle: Connection[] = []
  const pump = () => {
    const due = Math.min(total, Math.floor(((now() - startedAt) / 1_000) * rate))
    while (count.sent < due) {
      const connection = idle.shift()
      if (connection === undefined) return
      send(connection, startedAt + (count.sent / rate) * 1_000)
    }
  }
  return {
    proceed: (connection) => {
      idle.push(connection)
      pump()
    },
    tick: () => {
      pump()
      return count.sent >= total
    },
  }
}

function untilDone(done: () => boolean, giveUpAt: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!done() && now() < giveUpAt) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
}
