import { afterAll } from 'vitest'
import { type RecordingGraph, type Reply, startRecordingGraph } from './graph-server.ts'

const running = new Set<RecordingGraph>()

// Registered while the test file is being loaded: no stand-in outlives it.
afterAll(() => {
  for (const graph of running) graph.stop()
  running.clear()
})

/** A stand-in Graph API until the end of the test file: answers by its script, one reply a request, then accepts. */
export async function startGraph(...script: Reply[]): Promise<RecordingGraph> {
  const graph = await startRecordingGraph(...script)
  running.add(graph)
  return graph
}
