import type { Request } from 'express'
import { z } from 'zod'
import { AGES, type Age } from '../../rules/age.ts'
import { queryString } from '../ui/format.ts'
import { readQuery, searchText } from '../ui/page-query.ts'

export const STUCK = '/console/stuck'

/** The lists of the page, each with its title. */
export const LISTS = {
  dead: 'Dead letters',
  sends: 'Failed sends',
  parked: 'Parked deliveries',
  held: 'Held messages',
} as const
export type ListName = keyof typeof LISTS

/** The lists for a person who may see these orgs, or all: deliveries belong to no org. */
export function listsFor(orgIds: readonly string[] | undefined): ListName[] {
  const names = Object.keys(LISTS) as ListName[]
  return orgIds === undefined ? names : names.filter((list) => list === 'sends' || list === 'held')
}

/** What a list shall show; a list ignores the filters that it does not have. */
export type StuckFilter = {
  org?: string | undefined
  /** The id of a WABA phone. */
  number?: string | undefined
  /** A part of the reason. */
  reason?: string | undefined
  age?: Age | undefined
  /** Of failed sends. */
  state?: 'failed' | 'unknown' | undefined
  /** What parked deliveries wait for, as in `parked_for`. */
  waits?: string | undefined
}

const optional = searchText.optional()
/** The filters, in an address or in a form. */
export const filterShape = z.object({
  org: optional,
  number: optional,
  reason: optional,
  age: z.enum([...AGES, '']).optional(),
  state: z.enum(['failed', 'unknown', '']).optional(),
  waits: optional,
})
const shape = filterShape.extend({ before: optional })

/**
 * The filter and the place in the address of a list.
 * @throws ApiError INVALID_INPUT
 */
export function readStuckQuery(req: Request): { filter: StuckFilter; before: string | undefined } {
  const { before, ...filter } = readQuery(shape, req.query)
  return { filter: toFilter(filter), before }
}

/** The filter without the fields that people left empty. */
export function toFilter({ age, state, ...filter }: z.infer<typeof filterShape>): StuckFilter {
  return { ...filter, age: age || undefined, state: state || undefined }
}

/** The address of a list. */
export function listPath(list: ListName, filter: StuckFilter = {}, before?: string): string {
  return `${STUCK}/${list}${queryString({ ...filter, before })}`
}
