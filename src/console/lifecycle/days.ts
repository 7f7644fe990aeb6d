import { DAYS, type DayCounts, type DayOfOrg } from './changes-by-day.ts'

/** The changes of one day (`2026-11-22`, UTC), summed over orgs. */
export type Day = DayCounts & { day: string }

const DAY_MS = 86_400_000

/** The last `DAYS` days up to now, summed over the shown orgs; days without a change are included. */
export function daysOf(days: DayOfOrg[], shown: Set<string>, now: Date): Day[] {
  return Array.from({ length: DAYS }, (_, i) => {
    const day = new Date(now.getTime() - (DAYS - 1 - i) * DAY_MS).toISOString().slice(0, 10)
    const matching = days.filter((d) => d.day === day && shown.has(d.orgId))
    const sum = (kind: keyof DayCounts) => matching.reduce((n, d) => n + d[kind], 0)
    return {
      day,
      created: sum('created'),
      reactivated: sum('reactivated'),
      deactivated: sum('deactivated'),
      expired: sum('expired'),
    }
  })
}
