import type { VNode } from 'preact'
import type { Db } from '../../db/client.ts'
import { decodePlace, encodePlace } from '../ui/place.ts'
import { countDead, deadPlace, listDead } from './dead-list.ts'
import { DeadTable } from './dead-table.tsx'
import { countFailedSends, listFailedSends, sendPlace } from './failed-sends-list.ts'
import { countHeldOf, heldPlace, listHeld } from './held-list.ts'
import { HeldTable } from './held-table.tsx'
import { countParked, listParked, listParkedGroups, parkedPlace } from './parked-list.ts'
import { ParkedGroups, ParkedTable } from './parked-tables.tsx'
import type { Total } from './search.ts'
import { SendsTable } from './sends-table.tsx'
import type { ListName, StuckFilter } from './stuck-query.ts'

/** What a page of a list is read for. */
export type Reading = {
  /** The orgs that it shows; deliveries have none. */
  orgIds: string[]
  filter: StuckFilter
  before?: string | undefined
  size: number
  readOnly: boolean
}

/** A page of a list; without a table where nothing was found. */
export type Listed = { table: VNode | undefined; next: string | undefined }

type StuckList = {
  read(db: Db, reading: Reading): Promise<Listed>
  count(db: Db, reading: Pick<Reading, 'orgIds' | 'filter'>): Promise<Total>
}

/** How each list is read, counted and shown. */
export const READERS: Record<ListName, StuckList> = {
  dead: {
    async read(db, { filter, before, size, readOnly }) {
      const { rows, last } = await listDead(db, { filter, before: decodePlace(before, deadPlace), size })
      const table = rows.length > 0 ? <DeadTable letters={rows} readOnly={readOnly} /> : undefined
      return { table, next: last && encodePlace([last.receivedAt.getTime(), last.id]) }
    },
    count: (db, { filter }) => countDead(db, filter),
  },
  sends: {
    async read(db, { orgIds, filter, before, size, readOnly }) {
      const asked = { filter, before: decodePlace(before, sendPlace), size }
      const { rows, last } = await listFailedSends(db, orgIds, asked)
      const table = rows.length > 0 ? <SendsTable sends={rows} readOnly={readOnly} /> : undefined
      return { table, next: last && encodePlace([last.at.getTime(), last.wamid]) }
    },
    count: (db, { orgIds, filter }) => countFailedSends(db, orgIds, filter),
  },
  parked: {
    async read(db, { filter, before, size }) {
      const { rows, last } = await listParked(db, { filter, before: decodePlace(before, parkedPlace), size })
      const table = rows.length > 0 ? <ParkedTable deliveries={rows} /> : undefined
      return { table, next: last && encodePlace([last.waitsFor, last.id]) }
    },
    count: (db, { filter }) => countParked(db, filter),
  },
  held: {
    async read(db, { orgIds, filter, before, size }) {
      const asked = { filter, before: decodePlace(before, heldPlace), size }
      const { rows, last } = await listHeld(db, orgIds, asked)
      const table = rows.length > 0 ? <HeldTable held={rows} /> : undefined
      return { table, next: last && encodePlace([last.at.getTime(), last.seq, last.wamid]) }
    },
    count: (db, { orgIds, filter }) => countHeldOf(db, orgIds, filter),
  },
}

/** The beginning of a list, for the page that shows all of them: parked deliveries in groups. */
export async function readBrief(db: Db, list: ListName, reading: Reading): Promise<VNode | undefined> {
  if (list !== 'parked') return (await READERS[list].read(db, reading)).table
  const groups = await listParkedGroups(db)
  return groups.length > 0 ? <ParkedGroups groups={groups.slice(0, reading.size)} /> : undefined
}
