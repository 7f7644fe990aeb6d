import type { Socket } from 'node:net'
import type pg from 'pg'

/** A pooled connection and its traffic. Times are in ms of `performance.now()`. */
export type WatchedConnection = {
  /** Process id of its backend. */
  pid: number
  socket: Socket
  /** Bytes that had been written when PostgreSQL last sent something. More bytes than these await an answer. */
  answeredBytes: number
  lastAnswerAt: number
  /** When an unanswered request was first noticed. */
  unansweredSince: number | undefined
  /** Its backend was found working, so its answer does not count as late before this time. */
  workingUntil: number
}

/** An answer that has been missing for so long is late. */
const LATE_MS = 500

/** Starts to record the traffic of a connection. */
export function watchConnection(client: pg.PoolClient): WatchedConnection {
  const { processID: pid } = client as pg.PoolClient & { processID: number }
  const socket = client.connection.stream as Socket
  const watched: WatchedConnection = {
    pid,
    socket,
    answeredBytes: socket.bytesWritten,
    lastAnswerAt: performance.now(),
    unansweredSince: undefined,
    workingUntil: 0,
  }
  socket.on('data', () => {
    watched.answeredBytes = socket.bytesWritten
    watched.lastAnswerAt = performance.now()
    watched.unansweredSince = undefined
  })
  return watched
}

/** The connections whose answer is late. To be called periodically, since it also notices new unanswered requests. */
export function findLate(connections: Iterable<WatchedConnection>): WatchedConnection[] {
  const now = performance.now()
  return [...connections].filter((one) => {
    if (one.socket.destroyed || one.socket.bytesWritten === one.answeredBytes) return false
    one.unansweredSince ??= now
    return now - one.unansweredSince >= LATE_MS && now >= one.workingUntil
  })
}
