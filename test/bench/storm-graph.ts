import { type GraphRequest, newSentId, startStandInGraph } from '../../src/demo/stand-in-graph.ts'

/** So long the stand-in takes to answer. */
export const ANSWER_MS = 50

/** `times`: when each request came; `arrival`: when the text `body` comes. */
export type SlowGraph = { url: string; times: number[]; arrival(body: string): Promise<number>; stop(): void }

/** A stand-in Graph API that takes every message, slowly. */
export async function startSlowGraph(): Promise<SlowGraph> {
  const waiting = new Map<string, (at: number) => void>()
  const times: number[] = []
  const { url, stop, requests } = await startStandInGraph((res, { body }: GraphRequest) => {
    const now = performance.now()
    times.push(now)
    waiting.get(String((body.text as { body?: unknown })?.body))?.(now)
    requests.length = 0
    setTimeout(() => res.end(JSON.stringify({ messages: [{ id: newSentId() }] })), ANSWER_MS)
  })
  return { url, times, stop, arrival: (body) => new Promise((resolve) => waiting.set(body, resolve)) }
}
