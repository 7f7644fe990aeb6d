import type { ComponentChildren } from 'preact'
import { stamp } from './format.ts'
import type { OrgName } from './list-orgs.ts'

/** A state or decision, as a coloured word; the colour only repeats the word. */
export function Badge({ of, children }: { of: string; children?: ComponentChildren }) {
  return <span class={`badge ${of}`}>{children ?? of}</span>
}

/** A moment; `clock` leaves the day out. */
export function Moment({ at, clock = false }: { at: Date; clock?: boolean }) {
  const text = stamp(at)
  return (
    <time dateTime={at.toISOString()} title={`${text} UTC`}>
      {clock ? text.slice(11) : text}
    </time>
  )
}

/** A choice of org: all of them, or one. */
export function OrgPicker({ orgs, orgId }: { orgs: OrgName[]; orgId: string | undefined }) {
  return (
    <label class="field">
      <span>Org</span>
      <select name="org">
        <option value="">All orgs</option>
        {orgs.map(({ id, name }) => (
          <option value={id} selected={id === orgId}>
            {name === id ? id : `${name} (${id})`}
          </option>
        ))}
      </select>
    </label>
  )
}

/** The form that shows a page for one org. */
export function OrgForm({
  action,
  orgs,
  orgId,
}: {
  action: string
  orgs: OrgName[]
  orgId: string | undefined
}) {
  return (
    <form class="bar" method="get" action={action}>
      <OrgPicker orgs={orgs} orgId={orgId} />
      <button type="submit">Show</button>
    </form>
  )
}

/** A table that scrolls by itself, also by keyboard, where the screen is too narrow for it. */
export function Table({
  label,
  head,
  children,
}: {
  label: string
  head: string[]
  children: ComponentChildren
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((title) => (
              <th scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  )
}

/** What stands where there is nothing to show. */
export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>
}
