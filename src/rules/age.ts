/** Ages by which lists are filtered: less than so long ago, or more. */
export const AGES = ['under-1h', 'under-1d', 'under-7d', 'over-1h', 'over-1d', 'over-7d'] as const
export type Age = (typeof AGES)[number]

/** SQL: whether the time `column` has an age, by two parameters of `ageValues` and the time `asOf`, by default now. */
export function ageSql(column: string, [under, over]: [under: string, over: string], asOf = 'now()'): string {
  return `${column} >= coalesce(${asOf} - ${under}::interval, '-infinity')
    and ${column} <= coalesce(${asOf} - ${over}::interval, 'infinity')`
}

/** The parameters of `ageSql`: the interval since which, and the one until which; null where there is no bound. */
export function ageValues(age: Age | undefined): [under: string | null, over: string | null] {
  const [word, interval = ''] = age?.split('-') ?? []
  if (word === undefined) return [null, null]
  return word === 'under' ? [interval, null] : [null, interval]
}
