import { atEndOf } from './at-end.ts'
import { type RecordingGraph, type Reply, startRecordingGraph } from './graph-server.ts'

/** A stand-in Graph API until the end of the test file: answers by its script, one reply a request, then accepts. */
export async function startGraph(...script: Reply[]): Promise<RecordingGraph> {
  const graph = await startRecordingGraph(...script)
  atEndOf('file', graph.stop)
  return graph
}
