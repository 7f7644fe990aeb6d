import type { OrgChanges } from '../../lifecycle/changes.ts'
import { count, duration } from '../ui/format.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import type { Census } from './census.ts'
import { DAYS } from './changes-by-day.ts'
import { DayChart } from './day-chart.tsx'
import { daysOf } from './days.ts'
import { NO_ROOMS, NOTHING_DUE, OrgTable } from './orgs-view.tsx'

type Props = { census: Census; orgs: OrgName[]; orgId: string | undefined; now: Date }

/** A census for one org, or summed over all orgs and then with a row for each. */
export function CensusView({ census, orgs, orgId, now }: Props) {
  const shown = orgId === undefined ? orgs.map(({ id }) => id) : [orgId]
  const rooms = sumOf(shown.map((id) => census.rooms.get(id) ?? NO_ROOMS))
  const today = sumOf(shown.map((id) => census.dueToday.get(id) ?? NOTHING_DUE))
  const week = sumOf(shown.map((id) => census.dueThisWeek.get(id) ?? NOTHING_DUE))
  return (
    <>
      <p class="dim">Counted {ageOf(census, now)}.</p>
      <div class="figures">
        <Figure name="Active" value={rooms.active} note="chatrooms" />
        <Figure name="Deactivated" value={rooms.deactivated} note="reactivated when the customer writes" />
        <Figure name="Expired" value={rooms.expired} note="final" />
        <Due name="Due today" due={today} />
        <Due name="Due in seven days" due={week} />
      </div>
      <section aria-labelledby="days">
        <h2 id="days">The last {DAYS} days</h2>
        <DayChart days={daysOf(census.days, new Set(shown), now)} />
      </section>
      {orgId === undefined && orgs.length > 0 && <OrgTable census={census} orgs={orgs} />}
    </>
  )
}

function ageOf({ at }: Census, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1_000
  return seconds < 1 ? 'just now' : `${duration(seconds)} ago`
}

function sumOf<K extends string>(parts: Record<K, number>[]): Partial<Record<K, number>> {
  const sum: Partial<Record<K, number>> = {}
  for (const part of parts) {
    for (const key of Object.keys(part) as K[]) sum[key] = (sum[key] ?? 0) + part[key]
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

function Due({ name, due }: { name: string; due: Partial<OrgChanges> }) {
  const { chatroomsDeactivated = 0, chatroomsExpired = 0, contactsExpired = 0 } = due
  return (
    <div class="card">
      <h2>{name}</h2>
      <p class="value">{count(chatroomsDeactivated + chatroomsExpired)}</p>
      <p class="note">
        {count(chatroomsDeactivated)} to deactivate unless the customer writes, {count(chatroomsExpired)} to
        expire with {count(contactsExpired)} contacts
      </p>
    </div>
  )
}
