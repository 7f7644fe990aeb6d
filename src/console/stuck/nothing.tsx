import { Nothing } from '../ui/empty.tsx'
import type { ListName } from './stuck-query.ts'

/** What each list holds, said where it is empty. */
const TEXTS: Record<ListName, string> = {
  dead: 'No dead letters. A delivery that cannot be read or stored is kept here.',
  sends: 'No failed sends. A message that Meta refuses, or whose outcome is unknown, is listed here.',
  parked: 'No parked deliveries. A delivery for a number or WABA that is not provisioned waits here.',
  held: 'No held messages. A message of a customer without a chatroom waits here if its org does not have one created.',
}

/** The note in place of an empty list. */
export function NothingListed({ list }: { list: ListName }) {
  return <Nothing>{TEXTS[list]}</Nothing>
}
