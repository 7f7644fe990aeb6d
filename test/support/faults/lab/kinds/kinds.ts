import { act, late } from './acts.ts'
import { echo, history, ownNumber, placeholder } from './coexistence.ts'
import type { Kind } from './kind.ts'
import { attested, changedNumber, changedUserId, merged, onlyContact } from './people.ts'

/** The kinds of webhooks beside ordinary messages, statuses and ghosts; each is as frequent as the others. */
export const KINDS: readonly Kind[] = [
  ...[echo, history, placeholder, ownNumber],
  ...[act, late],
  ...[changedNumber, changedUserId, attested, merged, onlyContact],
]
