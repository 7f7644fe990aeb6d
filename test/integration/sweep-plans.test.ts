import { describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { previewSweep } from '../../src/lifecycle/preview-sweep.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createTestDatabase } from '../support/database.ts'
import { createSilentRooms } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { missingIn } from '../support/plan-tests.ts'
import { planNodes, recordStatements, type Statement } from '../support/statements.ts'
import { ago } from '../support/time.ts'

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  const BIG = ['chatrooms', 'contacts', 'customers', 'outbox', 'idempotency_keys']

  it('sweeps, preview and purge read big tables by index', async () => {
    const own = await createTestDatabase()
    if (fill === 'loaded') {
      for (let i = 0; i < 5; i += 1) {
        const org = await createOrg(own.db, { inactivity_days: 62 + i, expiry_days: 300 })
        await createSilentRooms(own.db, org, 400)
      }
      await own.db.$client.query('analyze')
    }
    const org = await createOrg(own.db, { inactivity_days: 30, expiry_days: 60 })
    await createRoom(own.db, org, { customer: '+15550000001', activatedAt: ago(40) })
    await createRoom(own.db, org, { customer: '+15550000002', contactCreatedAt: ago(61) })
    const recorder = recordStatements(own.pool)
    await previewSweep(own.db, undefined)
    await inTransaction(own.db, (tx) => sweep(tx, undefined))
    recorder.stop()
    const statements = recorder.statements.filter((s) => s.name !== '')
    expect(missingIn('sweep-plans', statements)).toEqual([])
    expect(statements.map((s) => s.name)).toEqual(
      expect.arrayContaining([
        'preview-sweep',
        'lock-customers-to-expire',
        'expire-contacts',
        'lock-inactive-customers',
        'deactivate-chatrooms',
        'purge-outbox',
      ]),
    )
    for (const statement of statements) {
      const nodes = await planNodes(own.db, statement)
      const joins = nodes.filter((n) => /^(Hash|Merge) Join/.test(n))
      const scans = nodes.filter(
        (n) => n.startsWith('Seq Scan') && BIG.some((table) => n.endsWith(` ${table}`)),
      )
      expect([statement.name, joins, scans]).toEqual([statement.name, [], []])
      expect([statement.name, await wholeScans(own.db, statement)]).toEqual([statement.name, []])
      if (statement.name.startsWith('lock-'))
        expect(nodes.slice(0, 2)).toEqual(['Limit on -', 'Nested Loop on -'])
    }
  })

  type Plan = { 'Relation Name'?: string; 'Index Cond'?: string; 'Node Type': string; Plans?: Plan[] }

  /** Scans of big tables that read a whole index, which is as slow as reading the table. */
  async function wholeScans(on: Db, { text, values }: Statement): Promise<string[]> {
    const { rows } = await on.$client.query(`explain (format json) ${text}`, values)
    const walk = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(walk)]
    return walk(rows[0]['QUERY PLAN'][0].Plan)
      .filter((n) => n['Node Type'].startsWith('Index') && BIG.includes(n['Relation Name'] ?? ''))
      .filter((n) => n['Index Cond'] === undefined)
      .map((n) => `${n['Node Type']} on ${n['Relation Name']}`)
  }
})
