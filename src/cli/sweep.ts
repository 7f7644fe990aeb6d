import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import type { Db } from '../db/client.ts'
import type { Changes } from '../lifecycle/changes.ts'
import { isFuture } from '../lifecycle/is-future.ts'
import { previewSweep } from '../lifecycle/preview-sweep.ts'
import type { Purged } from '../lifecycle/purge.ts'
import { sweep } from '../lifecycle/sweep.ts'
import { formatTable } from './table.ts'
import { withDatabase } from './with-database.ts'

type Options = { at?: Date; dryRun?: boolean; yes?: boolean }

/** `sweep`: runs all lifecycle sweeps once. As of a future time it only shows what would change, since expiry is final. */
export function sweepCommand(): Command {
  return new Command('sweep')
    .description('expire old contacts, deactivate inactive chatrooms and purge, as of now or another time')
    .option(
      '--at <time>',
      'sweep as of this time; a time in the future changes nothing without --yes',
      parseTime,
    )
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--yes', 'sweep also as of a time in the future; expiry is final')
    .action((options: Options) => withDatabase((db) => run(db, options)))
}

async function run(db: Db, { at, dryRun, yes }: Options): Promise<void> {
  const asOf = at?.toISOString() ?? 'now'
  const isEarly = at !== undefined && !yes && (await isFuture(db, at))
  if (dryRun || isEarly) {
    console.log(describeChanges(await previewSweep(db, at), `would change as of ${asOf}`))
    console.log(
      isEarly
        ? 'Nothing was changed, because the time is in the future. To sweep anyway, add --yes.'
        : 'Nothing was changed.',
    )
    return
  }
  const { changes, purged } = await sweep(db, at)
  console.log(describeChanges(changes, `changed as of ${asOf}`))
  console.log(describePurge(purged))
}

const TIME = z.union([z.iso.datetime({ offset: true }), z.iso.date()])

function parseTime(text: string): Date {
  const time = TIME.safeParse(text)
  if (time.success) return new Date(time.data)
  throw new InvalidArgumentError('Give a day, or a time with its zone: 2027-01-31, 2027-01-31T09:00:00Z.')
}

function describeChanges(changes: Changes, what: string): string {
  if (changes.size === 0) return `Nothing ${what}.`
  const rows = [...changes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([orgId, counts]) => [
      orgId,
      String(counts.contactsExpired),
      String(counts.chatroomsExpired),
      String(counts.chatroomsDeactivated),
    ])
  const head = ['org', 'contacts expired', 'chatrooms expired', 'chatrooms deactivated']
  return `What ${what}:\n\n${formatTable(head, rows)}\n`
}

function describePurge({ idempotencyKeys, rateLimits, outbox, buried }: Purged): string {
  return `Purged ${idempotencyKeys} idempotency key(s), ${rateLimits} rate limit(s), ${outbox} completed send(s). ${buried} parked deliveries became dead letters.`
}
