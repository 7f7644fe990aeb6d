import { type Alias, isId } from '../identity/aliases.ts'
import { phoneVariants } from '../identity/phone.ts'
import { ExactNumber } from '../webhook/exact-json.ts'
import { asList, asObject, type Json } from '../webhook/fields.ts'

/** Lists whose elements hold lists of their own; other elements are of one person each, and are taken or left whole. */
const NESTING = ['entry', 'changes', 'history', 'threads']
const PHONE = /^[+\d\s().-]+$/

/** How JSON may spell these names: ids as they are, phones as digits, in every spelling. */
export function nameValues(names: Alias[]): string[] {
  const spellings = names.flatMap((name) => {
    if (isId(name)) return [name.value]
    const digits = name.value.replace(/^\+/, '')
    return [digits, ...phoneVariants(digits)]
  })
  return [...new Set(spellings)]
}

/** Whether a value of JSON is one of these names; a phone may be written in any way. */
function isName(value: unknown, names: ReadonlySet<string>): boolean {
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof ExactNumber)) return false
  const text = String(value)
  return names.has(text) || (PHONE.test(text) && names.has(text.replace(/\D/g, '').replace(/^00/, '')))
}

/** Whether an element is about the person: it names the person itself, or in its `contact`, not in what it says or quotes. */
function isAbout(value: unknown, names: ReadonlySet<string>): boolean {
  const object = asObject(value)
  if (!object) return isName(value, names)
  return Object.values({ ...asObject(object.contact), ...object }).some((one) => isName(one, names))
}

/** The parts of a value of JSON that are about the person, such as messages, contacts and statuses. */
export function partsAbout(value: Json, names: ReadonlySet<string>): unknown[] {
  if (isAbout(value, names)) return [value]
  return Object.entries(value).flatMap(([key, one]) => {
    const object = asObject(one)
    if (object) return partsAbout(object, names)
    return asList(one).flatMap((element) => partsOf(key, element, names))
  })
}

function partsOf(key: string, element: unknown, names: ReadonlySet<string>): unknown[] {
  if (isAbout(element, names)) return [element]
  const object = NESTING.includes(key) ? asObject(element) : undefined
  return object ? partsAbout(object, names) : []
}

/**
 * A value of JSON without the parts that are about the person; undefined if all of it is, or if its lists have nothing but
 * contacts left. What is about others stays as it is.
 */
export function withoutPerson(value: Json, names: ReadonlySet<string>): Json | undefined {
  if (isAbout(value, names)) return undefined
  const entries = Object.entries(value).flatMap(([key, one]): [string, unknown][] => {
    if (Array.isArray(one)) return [[key, one.flatMap((element) => keptOf(key, element, names))]]
    const object = asObject(one)
    if (!object) return [[key, one]]
    const rest = withoutPerson(object, names)
    return rest ? [[key, rest]] : []
  })
  const rest = Object.fromEntries(entries)
  const hadMore = countItems(value) > 0 || entries.length < Object.keys(value).length
  return hadMore && countItems(rest) === 0 ? undefined : rest
}

function keptOf(key: string, element: unknown, names: ReadonlySet<string>): unknown[] {
  if (isAbout(element, names)) return []
  const object = NESTING.includes(key) ? asObject(element) : undefined
  const rest = object ? withoutPerson(object, names) : element
  return rest === undefined ? [] : [rest]
}

/** The elements of the lists of a value and of the objects in it, but for contacts. */
function countItems(value: Json): number {
  const counts = Object.entries(value).map(([key, one]) => {
    if (Array.isArray(one)) return key === 'contacts' ? 0 : one.length
    const object = asObject(one)
    return object ? countItems(object) : 0
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
