/** A number as a provision file or an API call names it: by Meta's id, and the id that Meta knew it by before. */
export type NamedNumber = { id: string; replaces?: string | undefined }

/** The number (`waba_phones.id`) that an id of Meta leads to, and Meta's id of it now. */
export type KnownNumber = { phoneId: string; remoteId: string }

/**
 * What is to be done. `keep`: the id is a former one of the number, so an older file is applied, and nothing changes.
 * `merge`: the number `otherId` was provisioned as one of its own, and joins the number that it replaces.
 */
export type NumberChange =
  | { kind: 'create' }
  | { kind: 'update' | 'move'; phoneId: string }
  | { kind: 'keep' }
  | { kind: 'merge'; phoneId: string; otherId: string }
  | { kind: 'refuse'; reason: string }

/**
 * Decides about one number of an org (docs/rules.md#a-number-that-moves): `named` is the number that its id leads to,
 * `replaced` the one that `replaces` leads to; undefined where the org has none.
 */
export function numberChange(
  { id, replaces }: NamedNumber,
  named: KnownNumber | undefined,
  replaced: KnownNumber | undefined,
): NumberChange {
  if (replaces === undefined) {
    if (!named) return { kind: 'create' }
    return named.remoteId === id ? { kind: 'update', phoneId: named.phoneId } : { kind: 'keep' }
  }
  if (!replaced) return refuse(`${id} replaces ${replaces}, which is not a number of this org`)
  const { phoneId, remoteId } = replaced
  if (named?.phoneId === phoneId) {
    if (remoteId === id) return { kind: 'update', phoneId }
    return remoteId === replaces ? { kind: 'move', phoneId } : { kind: 'keep' }
  }
  if (remoteId !== replaces) {
    return refuse(`${id} replaces ${replaces}, which ${remoteId} has replaced already: name ${remoteId}`)
  }
  if (!named) return { kind: 'move', phoneId }
  if (named.remoteId === id) return { kind: 'merge', phoneId, otherId: named.phoneId }
  return refuse(`${id} is a former id of the number ${named.remoteId}, so it cannot replace ${replaces}`)
}

function refuse(reason: string): NumberChange {
  return { kind: 'refuse', reason }
}

/** Sorts numbers so that each one comes after the number that it replaces, if that is among them. */
export function replacedFirst<T extends NamedNumber>(numbers: T[]): T[] {
  const byId = new Map(numbers.map((number) => [number.id, number]))
  const depth = ({ replaces }: NamedNumber): number => {
    const before = replaces === undefined ? undefined : byId.get(replaces)
    return before ? depth(before) + 1 : 0
  }
  return numbers.toSorted((a, b) => depth(a) - depth(b))
}

/** The mistakes in the ids of an org's numbers: an id given twice, a number replaced twice, a circle. */
export function numberMistakes(numbers: NamedNumber[]): string[] {
  const replaced = numbers.flatMap(({ replaces }) => replaces ?? [])
  return [
    ...repeated(numbers.map(({ id }) => id)).map((id) => `the number ${id} is given twice`),
    ...repeated(replaced).map((id) => `two numbers replace ${id}`),
    ...numbers.filter((number) => isInCircle(number, numbers)).map(({ id }) => `${id} replaces itself`),
  ]
}

/** The ids that are given more than once, each once. */
export function repeated(ids: string[]): string[] {
  return [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))]
}

function isInCircle({ id, replaces }: NamedNumber, numbers: NamedNumber[]): boolean {
  const before = new Map(numbers.map((number) => [number.id, number.replaces]))
  let at = replaces
  for (const _ of numbers) {
    if (at === undefined) return false
    if (at === id) return true
    at = before.get(at)
  }
  return false
}
