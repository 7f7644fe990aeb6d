import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { newTally, quantile } from '../../support/faults/http-sender.ts'
import { install, type Member } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { createOrg } from '../../support/org.ts'
import { message, post } from '../../support/webhooks.ts'

const rssMB = ({ pid }: Member) =>
  Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)])) / 1_024)

it('deliveries of 1,000 messages and of 3 MB, 50 at once, are all routed, in bounded memory', async (t) => {
  const site = await install(t, 'postgres')
  const org = await createOrg(site.db)
  const members = [await site.start('server'), await site.start('workers')]
  const wamids: string[] = []
  const batch = (messages: number, length: number) => {
    const all = Array.from({ length: messages }, (_, i) =>
      message({ from: `15553${String(i % 200).padStart(6, '0')}`, body: 'x'.repeat(length) }),
    )
    wamids.push(...all.map((m) => m.id))
    return post(org.phones[0]!, ...all)
  }
  const bodies = [batch(1_000, 100), ...Array.from({ length: 50 }, () => batch(60, 50_000))]
  expect(bodies.every((b) => b.length < 3.2 * 1024 * 1024)).toBe(true)
  const peaks = [0, 0]
  const timer = setInterval(() => {
    for (const [i, member] of members.entries()) peaks[i] = Math.max(peaks[i] ?? 0, rssMB(member))
  }, 100)
  t.onTestFinished(() => clearInterval(timer))
  const tally = newTally()
  await Promise.all(bodies.map((body) => site.postUntilAcknowledged(() => members[0]!.url, body, tally)))
  const seconds = await site.allRouted(wamids)
  expect(Math.max(...peaks)).toBeLessThan(1_200)
  const also = {
    messages: wamids.length,
    'answer p50 (ms)': quantile(tally.ms, 0.5),
    'all routed after (s)': seconds.toFixed(1),
    'memory of receiver / worker (MB)': peaks.join(' / '),
  }
  publishFigure(18, { of: 'deliveries at once', n: bodies.length, account: await site.account(), also })
})
