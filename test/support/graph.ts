import { afterAll } from 'vitest'
import { accept, type Reply, startStandInGraph } from '../../src/demo/stand-in-graph.ts'

export type { Reply } from '../../src/demo/stand-in-graph.ts'

const stops = new Set<() => void>()

// Registered while the test file is being loaded: no stand-in outlives it.
afterAll(() => {
  for (const stop of stops) stop()
  stops.clear()
})

export const accepts: Reply = accept

/** A reply with a status, a body (JSON unless it is text already) and headers. */
export const replies =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** Meta's refusal with an error code. */
export const refuses = (code: number, status = 400) => replies(status, { error: { code, message: 'no' } })

/** A stand-in Graph API: answers by its script, one reply a request, and accepts when the script is over. */
export async function startGraph(...script: Reply[]) {
  const graph = await startStandInGraph((res, request) => (script.shift() ?? accept)(res, request))
  stops.add(graph.stop)
  return { ...graph, script }
}
