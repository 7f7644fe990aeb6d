import { ROUTES } from '../../db/schema/index.ts'
import { Choice, plain } from '../ui/choice.tsx'
import type { NumberName } from '../ui/list-numbers.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { NumberChoice } from '../ui/number-choice.tsx'
import { OrgPicker } from '../ui/parts.tsx'
import type { FeedFilter } from './feed-filter.ts'

/** The types of messages that customers send; the address of the page takes any other, too. */
const TYPES = [
  ...['audio', 'button', 'contacts', 'document', 'image', 'interactive', 'location', 'order', 'reaction'],
  ...['sticker', 'system', 'text', 'unsupported', 'video'],
]

type Props = { filter: FeedFilter; orgs: OrgName[]; numbers: NumberName[] }

/** A form that chooses which messages the feed shows. */
export function FilterForm({ filter, orgs, numbers }: Props) {
  const { orgId, number, decision, type } = filter
  const types = type === undefined || TYPES.includes(type) ? TYPES : [...TYPES, type]
  return (
    <form class="bar filters" method="get" action="/console">
      <OrgPicker orgs={orgs} orgId={orgId} />
      <NumberChoice numbers={numbers} chosen={number} orgId={orgId} />
      <Choice
        label="Decision"
        name="decision"
        all="All decisions"
        chosen={decision}
        options={plain(ROUTES)}
      />
      <Choice label="Type" name="type" all="All types" chosen={type} options={plain(types)} />
      <button type="submit">Show</button>
    </form>
  )
}
