import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createGraph } from '../../src/outbound/graph.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { findBroken } from '../support/sending/check.ts'
import { playProgram } from '../support/sending/play.ts'
import { program } from '../support/sending/program.ts'

/**
 * `SEND_RUNS=5000 npx vitest run --project integration sending-model` plays more programs; `SEND_SEED` and `SEND_PATH` play
 * a failure again. Time is the database's: the rows of a program are moved into the past, so no run waits.
 */
const RUNS = Number(process.env.SEND_RUNS ?? 500)
const SEED = Number(process.env.SEND_SEED ?? Date.now() % 2 ** 31)
const PATH = process.env.SEND_PATH

it(`messages leave in order, once, and are called what became of them (${RUNS} programs, seed ${SEED})`, async () => {
  const { db } = await createTestDatabase()
  const graph = await startGraph()
  const clientOf = (url: string) => createGraph({ url, version: 'v26.0' }, PATIENCE_MS)
  const clients = { real: clientOf(graph.url), unreachable: clientOf('http://127.0.0.1:1') }
  await fc.assert(
    fc.asyncProperty(program, async (one) => {
      const world = await playProgram({ db, graph, clients }, one)
      expect(await findBroken(world)).toEqual([])
    }),
    {
      ...{ numRuns: RUNS, seed: SEED, verbose: 1, endOnFailure: true },
      ...(PATH && { path: PATH }),
    },
  )
}, 3_600_000)
