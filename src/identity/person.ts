import type { Names } from '../webhook/names.ts'
import type { Sender } from '../webhook/sender.ts'
import { type Alias, aliasKey, phoneAliases, synonymsOf } from './aliases.ts'
import { phoneVariants, rivalPhones } from './phone.ts'

/** A person as one org may know them: every org has customers of its own. */
export type Person = Identity & {
  orgId: string
  /** The WABA of the number where the person appeared; a BSUID counts as seen there. */
  wabaId?: string | undefined
}

/** The names of a phone by which a person is found; see `Identity`. */
export type PhoneNames = { phones: Alias[]; variants: Alias[]; rivals: Alias[] }

/**
 * The names by which a person is found: by `phones` first, exactly, then by `variants` (other spellings of the phone,
 * if just one customer fits), then by `ids`. `rivals` are other phones with a spelling in common: a customer who has one
 * of them does not fit.
 */
export type Identity = PhoneNames & {
  ids: Alias[]
  /** The names to remember. */
  names: Alias[]
  /** Those of `names` that Meta announced as the person's new names. */
  announced: Alias[]
  /** Names that are the person's no more, as Meta says. */
  givenUp: Alias[]
  /** Phones, as digits, of which Meta says that they are the person's; they count where no other phone is known. */
  attestedPhones: string[]
  profileName: string | undefined
  /** The time at which the person had these names; undefined: now. */
  at: Date | undefined
  /** True: the person wrote under these names. */
  isWriting: boolean
  /** True: names are only added to a known customer; no customer is made and no name is moved. */
  passive: boolean
}

const NO_PHONE: PhoneNames = { phones: [], variants: [], rivals: [] }

/** Somebody without any name: is nobody's customer, and does not become one. */
export const NOBODY: Identity = {
  ...NO_PHONE,
  ids: [],
  names: [],
  announced: [],
  givenUp: [],
  attestedPhones: [],
  profileName: undefined,
  at: undefined,
  isWriting: false,
  passive: true,
}

/** The sender of a message, sent at that time; `isWriting` as in `Identity`. The phone decides, being the key of the rules. */
export function identityOf(sender: Sender, at?: Date, isWriting = false): Identity {
  const { waId, profileName, rename, attestedPhones = NOBODY.attestedPhones } = sender
  const { phones, variants, rivals } = waId === undefined ? NO_PHONE : phoneNames(waId)
  const ids = idsOf(sender)
  const [phone] = phones
  const own = phone ? [phone, ...ids] : ids
  const { names, announced, givenUp } = rename
    ? renamedOf(own, rename)
    : { names: own, announced: NOBODY.announced, givenUp: NOBODY.givenUp }
  return {
    phones,
    variants,
    rivals,
    ids,
    names,
    announced,
    givenUp,
    attestedPhones,
    profileName,
    at,
    isWriting,
    passive: false,
  }
}

/** The names of a person after the change that Meta reports. */
function renamedOf(
  own: Alias[],
  rename: NonNullable<Sender['rename']>,
): Pick<Identity, 'names' | 'announced' | 'givenUp'> {
  const announced = aliasesOf(rename.to)
  const givenUp = aliasesOf(rename.givenUp)
  const isGivenUp = (name: Alias) => givenUp.some((other) => aliasKey('', other) === aliasKey('', name))
  return { names: [...own.filter((name) => !isGivenUp(name)), ...announced], announced, givenUp }
}

/** `identityOf`, in one org, now. */
export function personOf(orgId: string, sender: Sender): Person {
  return { orgId, ...identityOf(sender) }
}

/** The owner of a phone (E.164 with its plus) that the CRM gave. */
export function personOfPhone(orgId: string, phone: string): Person {
  const names: Alias[] = [{ kind: 'phone', value: phone }]
  return { ...NOBODY, orgId, ...phoneNames(phone.slice(1)), names, passive: false }
}

/** The names by which the owner of a phone, given as digits, is found. */
export function phoneNames(digits: string): PhoneNames {
  return {
    phones: phoneAliases(digits),
    variants: phoneVariants(digits).flatMap(phoneAliases),
    rivals: rivalPhones(digits).flatMap(phoneAliases),
  }
}

/** Every name that may lead to a person, some of them twice. */
export function namesToLookUp(identity: Identity): Alias[] {
  const { phones, variants, rivals, ids, names, givenUp, attestedPhones } = identity
  const attested = attestedPhones
    .map(phoneNames)
    .flatMap((of) => [...of.phones, ...of.variants, ...of.rivals])
  return [
    ...phones,
    ...variants,
    ...rivals,
    ...ids,
    ...[...names, ...givenUp]
      .filter((name) => !phones.includes(name) && !ids.includes(name))
      .flatMap(synonymsOf),
    ...attested,
  ]
}

function aliasesOf(names: Names): Alias[] {
  return [...waIds(names.waId), ...idsOf(names)]
}

function waIds(waId: string | undefined): Alias[] {
  return waId ? [{ kind: 'wa_id', value: waId }] : []
}

function idsOf({ userId, parentUserId }: Names): Alias[] {
  const ids: Alias[] = []
  if (userId) ids.push({ kind: 'bsuid', value: userId })
  if (parentUserId) ids.push({ kind: 'parent_bsuid', value: parentUserId })
  return ids
}
