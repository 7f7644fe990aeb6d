import { API } from './api.ts'
import { ERASING } from './erasing.ts'
import { EVENT_LOG } from './event-log.ts'
import { LOCKING } from './locking.ts'
import { POSTING } from './posting.ts'
import { RECEIVING } from './receiving.ts'
import { ROUTING } from './routing.ts'
import { SENDING } from './sending.ts'
import { STORING } from './storing.ts'

/** Every guard that the mutation check takes away once. */
export const MUTATIONS = [
  ...[...RECEIVING, ...STORING, ...ROUTING, ...SENDING, ...LOCKING, ...API, ...EVENT_LOG],
  ...[...POSTING, ...ERASING],
]
