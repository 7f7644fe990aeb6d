import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createGraph } from '../../src/outbound/graph.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { findBroken } from '../support/sending/check.ts'
import { playProgram } from '../support/sending/play.ts'
import { program } from '../support/sending/program.ts'
import type { Lane } from '../support/sending/world.ts'

/**
 * `SEND_RUNS=5000 npx vitest run --project integration sending-model` plays more programs; `SEND_SEED` and `SEND_PATH` play
 * a failure again. Time is the database's: the rows of a program are moved into the past, so nothing waits for it. Four
 * programs are played at the same time, each in a database of its own.
 */
const LANES = 4
const RUNS = Math.ceil(Number(process.env.SEND_RUNS ?? 500) / LANES)
const SEED = Number(process.env.SEND_SEED ?? Date.now() % 2 ** 31)
const PATH = process.env.SEND_PATH

it(`messages leave in order, once, and are called what became of them (${RUNS * LANES} programs, seed ${SEED})`, async () => {
  const lanes = await Promise.all(Array.from({ length: LANES }, openLane))
  const programs = fc.array(program, { minLength: LANES, maxLength: LANES })
  await fc.assert(
    fc.asyncProperty(programs, async (all) => {
      const worlds = await Promise.all(all.map((one, i) => playProgram(lanes[i]!, one)))
      expect(await Promise.all(worlds.map(findBroken))).toEqual(worlds.map(() => []))
    }),
    { numRuns: RUNS, seed: SEED, verbose: 1, endOnFailure: true, ...(PATH && { path: PATH }) },
  )
}, 3_600_000)

async function openLane(): Promise<Lane> {
  const { db } = await createTestDatabase()
  const graph = await startGraph()
  const clientOf = (url: string) => createGraph({ url, version: 'v26.0' }, PATIENCE_MS)
  const clients = { real: clientOf(graph.url), unreachable: clientOf('http://127.0.0.1:1') }
  return { db, graph, clients, places: [] }
}
