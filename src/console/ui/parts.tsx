import type { ComponentChildren } from 'preact'
import { stamp } from './format.ts'
import type { OrgName } from './list-orgs.ts'

/** A state or decision as a coloured word. The word says it all: the colour only repeats it. */
export function Badge({ of, children }: { of: string; children?: ComponentChildren }) {
  return <span class={`badge ${of}`}>{children ?? of}</span>
}

/** An instant in UTC; `clock` shows the time of day only. */
export function Moment({ at, clock = false }: { at: Date; clock?: boolean }) {
  const text = stamp(at)
  return (
    <time dateTime={at.toISOString()} title={`${text} UTC`}>
      {clock ? text.slice(11) : text}
    </time>
  )
}

/** A field to choose one org, or all of them. */
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

/** A form that shows the page for the chosen org. */
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

/** A table that scrolls sideways, also by keyboard, where the screen is too narrow for it. */
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
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
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
