import { Command } from 'commander'
import { applyRetention, type Retained } from '../retention/apply-retention.ts'
import { formatTable } from './table.ts'
import { withDatabase } from './with-database.ts'

/** `retention`: deletes what orgs keep no longer, as the task `apply-retention` does, or shows how much that is. */
export function retentionCommand(): Command {
  return new Command('retention')
    .description('delete the messages and events that are older than their orgs keep them')
    .option('--dry-run', 'show how many there are, and change nothing')
    .action(({ dryRun = false }: { dryRun?: boolean }) =>
      withDatabase(async (db, { eventRetentionDays }) => {
        console.log(describe(await applyRetention(db, { eventRetentionDays, dryRun }), dryRun))
      }),
    )
}

function describe({ months, orgs }: Retained, dryRun: boolean): string {
  const verb = (done: string) => (dryRun ? `to be ${done}` : done)
  const rows = orgs.map(({ orgId, retentionDays, eventDays, messages, events }) => [
    orgId,
    retentionDays === null ? 'for ever' : `${retentionDays} days`,
    String(messages),
    `${eventDays} days`,
    String(events),
  ])
  const head = ['org', 'keeps messages', verb('deleted'), 'keeps events', verb('deleted')]
  const lines = months.map(({ name, messages }) => `${name}, about ${messages} messages`)
  return [
    formatTable(head, rows),
    '',
    `Months of messages ${verb('dropped')}: ${lines.length === 0 ? 'none' : lines.join('; ')}.`,
    ...(dryRun ? ['Nothing was changed.'] : []),
  ].join('\n')
}
