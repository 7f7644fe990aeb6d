import type { Heartbeats } from '../../heartbeats/read-heartbeats.ts'
import type { Changes, OrgChanges } from '../../lifecycle/changes.ts'
import { count, duration, query } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { Nothing, OrgForm, Table } from '../ui/parts.tsx'
import { Bars, type Day } from './bars.tsx'
import type { Census } from './census.ts'
import { DAYS } from './changes-by-day.ts'
import type { RoomCounts } from './count-rooms.ts'

const PATH = '/console/lifecycle'

type Lifecycle = {
  orgs: OrgName[]
  orgId: string | undefined
  sweeps: Heartbeats['sweeps']
  /** Undefined while the first count is under way. */
  census: Census | undefined
  now: Date
}

/** How chatrooms live and end: counts, what is due, the sweeps, and the last two weeks. */
export function renderLifecycle(shell: Shell, lifecycle: Lifecycle): string {
  const { orgs, orgId, census, sweeps, now } = lifecycle
  return renderPage({
    shell,
    title: 'Lifecycle',
    here: PATH,
    children: (
      <>
        <div class="head">
          <h1>Lifecycle</h1>
          <OrgForm action={PATH} orgs={orgs} orgId={orgId} />
        </div>
        <div id="census" data-busy={census ? undefined : ''}>
          {census ? (
            <Counted census={census} orgs={orgs} orgId={orgId} now={now} />
          ) : (
            <Nothing>The chatrooms are being counted: look again in a moment.</Nothing>
          )}
        </div>
        <Sweeps sweeps={sweeps} />
      </>
    ),
  })
}

type CountedProps = { census: Census; orgs: OrgName[]; orgId: string | undefined; now: Date }

function Counted({ census, orgs, orgId, now }: CountedProps) {
  const shown = orgId === undefined ? orgs.map(({ id }) => id) : [orgId]
  const rooms = sumOf(shown.map((id) => census.rooms.get(id) ?? NO_ROOMS))
  const today = sumOf(shown.map((id) => census.dueToday.get(id) ?? NOTHING_DUE))
  const week = sumOf(shown.map((id) => census.dueThisWeek.get(id) ?? NOTHING_DUE))
  return (
    <>
      <p class="dim">Counted {ageOf(census, now)}.</p>
      <div class="figures">
        <Figure name="Active" value={rooms?.active} note="chatrooms" />
        <Figure name="Deactivated" value={rooms?.deactivated} note="wake when the customer writes" />
        <Figure name="Expired" value={rooms?.expired} note="for good" />
        <Due name="Due today" due={today} />
        <Due name="Due in seven days" due={week} />
      </div>
      <section aria-labelledby="days">
        <h2 id="days">The last {DAYS} days</h2>
        <Bars days={daysOf(census, new Set(shown), now)} />
      </section>
      {orgId === undefined && <Orgs census={census} orgs={orgs} />}
    </>
  )
}

function ageOf({ at }: Census, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1_000
  return seconds < 1 ? 'just now' : `${duration(seconds)} ago`
}

const NO_ROOMS: RoomCounts = { active: 0, deactivated: 0, expired: 0 }
const NOTHING_DUE: OrgChanges = { contactsExpired: 0, chatroomsExpired: 0, chatroomsDeactivated: 0 }

function sumOf<T extends Record<string, number>>(parts: T[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const part of parts) {
    for (const [key, n] of Object.entries(part)) sum[key] = (sum[key] ?? 0) + n
  }
  return sum
}

function Figure({ name, value = 0, note }: { name: string; value: number | undefined; note: string }) {
  return (
    <div class="card">
      <h2>{name}</h2>
      <p class="value">{count(value)}</p>
      <p class="note">{note}</p>
    </div>
  )
}

function Due({ name, due }: { name: string; due: Record<string, number> }) {
  const { chatroomsDeactivated = 0, chatroomsExpired = 0, contactsExpired = 0 } = due
  return (
    <div class="card">
      <h2>{name}</h2>
      <p class="value">{count(chatroomsDeactivated + chatroomsExpired)}</p>
      <p class="note">
        {count(chatroomsDeactivated)} fall asleep, {count(chatroomsExpired)} expire with{' '}
        {count(contactsExpired)} contacts, unless the customer writes
      </p>
    </div>
  )
}

/** Every day of the chart, also those on which nothing happened. */
function daysOf({ days }: Census, shown: Set<string>, now: Date): Day[] {
  return Array.from({ length: DAYS }, (_, i) => {
    const day = new Date(now.getTime() - (DAYS - 1 - i) * 86_400_000).toISOString().slice(0, 10)
    const theirs = days.filter((d) => d.day === day && shown.has(d.orgId))
    const sum = (kind: keyof Omit<Day, 'day'>) => theirs.reduce((n, d) => n + d[kind], 0)
    return {
      day,
      created: sum('created'),
      woken: sum('woken'),
      deactivated: sum('deactivated'),
      expired: sum('expired'),
    }
  })
}

function Orgs({ census, orgs }: { census: Census; orgs: OrgName[] }) {
  const due = (changes: Changes, id: string) => {
    const { chatroomsDeactivated, chatroomsExpired } = changes.get(id) ?? NOTHING_DUE
    return count(chatroomsDeactivated + chatroomsExpired)
  }
  return (
    <section aria-labelledby="orgs">
      <h2 id="orgs">Orgs</h2>
      <Table label="Orgs" head={['Org', 'Active', 'Deactivated', 'Expired', 'Due today', 'In seven days']}>
        {orgs.map(({ id, name }) => {
          const rooms = census.rooms.get(id) ?? NO_ROOMS
          return (
            <tr>
              <th scope="row">
                <a href={PATH + query({ org: id })}>{name}</a>
              </th>
              <td>{count(rooms.active)}</td>
              <td>{count(rooms.deactivated)}</td>
              <td>{count(rooms.expired)}</td>
              <td>{due(census.dueToday, id)}</td>
              <td>{due(census.dueThisWeek, id)}</td>
            </tr>
          )
        })}
      </Table>
    </section>
  )
}

function Sweeps({ sweeps }: Pick<Lifecycle, 'sweeps'>) {
  return (
    <section aria-labelledby="sweeps">
      <h2 id="sweeps">Sweeps</h2>
      <ul class="sweeps">
        {Object.entries(sweeps).map(([name, age]) => (
          <li>
            <b>{name}</b> {age === null ? 'never finished yet' : `finished ${duration(age)} ago`}
          </li>
        ))}
      </ul>
    </section>
  )
}
