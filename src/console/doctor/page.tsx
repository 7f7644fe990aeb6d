import type { Check } from '../../doctor/check.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { Badge, OrgForm, Table } from '../ui/parts.tsx'

export const DOCTOR_PATH = '/console/doctor'

type Doctor = { orgs: OrgName[]; orgId: string | undefined; checks: Check[] }

/** The CSS class of each result; the classes are those of the states of chatrooms. */
const COLOURS = { ok: 'active', warning: 'deactivated', failed: 'expired' } as const

/** What works and what does not, with remedies, as `npm run doctor` lists it. */
export function renderDoctor(shell: Shell, { orgs, orgId, checks }: Doctor): string {
  return renderPage({
    shell,
    title: 'Doctor',
    here: DOCTOR_PATH,
    children: (
      <>
        <div class="head">
          <h1>Doctor</h1>
          <OrgForm action={DOCTOR_PATH} orgs={orgs} orgId={orgId} />
        </div>
        <p class="dim">
          What this process finds when it looks at the installation. With an org it also asks Meta about the
          org's WABAs and numbers. Only <code>npm run doctor</code> can try the callback URL.
        </p>
        <Table label="Checks" head={['State', 'Check', 'Found', 'What to do']}>
          {checks.map(({ name, status, found, remedy }) => (
            <tr>
              <td>
                <Badge of={COLOURS[status]}>{status}</Badge>
              </td>
              <td>{name}</td>
              <td class="wrap">{found}</td>
              <td class="wrap">{remedy}</td>
            </tr>
          ))}
        </Table>
      </>
    ),
  })
}
