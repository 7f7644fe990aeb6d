import { Nothing } from '../ui/empty.tsx'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { NumberName } from '../ui/list-numbers.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { StuckFilterForm } from './filter-form.tsx'
import type { Listed } from './lists.tsx'
import { NothingListed } from './nothing.tsx'
import { type Replay, ReplayBanner } from './replay-banner.tsx'
import { hasRuns, RunButton } from './replay-buttons.tsx'
import { Runs, type ShownRun } from './runs-view.tsx'
import { type Total, totalText } from './search.ts'
import { LISTS, type ListName, listPath, listsFor, STUCK, type StuckFilter } from './stuck-query.ts'

type Props = {
  list: ListName
  filter: StuckFilter
  orgs: OrgName[]
  numbers: NumberName[]
  total: Total
  listed: Listed
  replay: Replay | undefined
  runs: ShownRun[]
}

/** One list with its filter, how much of it there is, and a page of it. */
export function renderList(shell: Shell, props: Props): string {
  const { list, filter, orgs, numbers, total, replay, listed, runs } = props
  // Runs over many rows are for people who may see all orgs.
  const mayRun = !shell.readOnly && shell.person?.orgs === undefined
  const isOpen = runs.some(({ state }) => state === 'running' || state === 'stalled')
  return renderPage({
    shell,
    title: LISTS[list],
    here: STUCK,
    children: (
      <>
        <Tabs here={list} orgIds={shell.person?.orgs} />
        <h1>{LISTS[list]}</h1>
        {replay && <ReplayBanner replay={replay} />}
        <Runs runs={runs} done={list === 'dead' ? 'replayed' : 'sent again'} readOnly={!mayRun} />
        <StuckFilterForm {...{ list, filter, orgs, numbers }} />
        <section aria-labelledby="found">
          <div class="head">
            <h2 id="found">{totalText(total)} found</h2>
            {hasRuns(list, filter) && listed.table && mayRun && !isOpen && (
              <RunButton list={list} filter={filter} />
            )}
          </div>
          <Page list={list} filter={filter} listed={listed} />
        </section>
      </>
    ),
  })
}

/** Without a filter, an empty page is an empty list; with one, the search may go on behind the rows that it looked at. */
function Page({ list, filter, listed: { table, next } }: Pick<Props, 'list' | 'filter' | 'listed'>) {
  const isFiltered = Object.values(filter).some((value) => value !== undefined)
  return (
    <>
      {!table && next && <Nothing>Nothing fits among those looked at so far. Look on.</Nothing>}
      {!table && !next && isFiltered && <Nothing>Nothing fits this filter.</Nothing>}
      {!table && !next && !isFiltered && <NothingListed list={list} />}
      {table}
      {next && (
        <p>
          <a href={listPath(list, filter, next)}>Next page</a>
        </p>
      )}
    </>
  )
}

function Tabs({ here, orgIds }: { here: ListName; orgIds: readonly string[] | undefined }) {
  return (
    <nav aria-label="Lists">
      <a href={STUCK}>All</a>
      {listsFor(orgIds).map((list) => (
        <a href={listPath(list)} aria-current={list === here ? 'page' : undefined}>
          {LISTS[list]}
        </a>
      ))}
    </nav>
  )
}
