import type { Statement } from '../db/statement.ts'

/**
 * The tables that keep rows of orgs, as SQL names them: partitions instead of their parents, and each table before those that
 * it refers to, so that rows can be deleted in this order. The catalog is asked, so that no later table is forgotten. The runs
 * themselves (`bulk_runs`) are none of them: they say what became of the org.
 */
export function readOrgTables(): Statement<string[]> {
  return {
    text: `with recursive org_table as (
        select c.oid from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
        where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace and c.relname <> 'bulk_runs'),
      reference as (
        select distinct conrelid as child, confrelid as parent from pg_constraint
        where contype = 'f' and conrelid <> confrelid),
      placed(oid, depth) as (
        select oid, 0 from org_table
        union select r.parent, p.depth + 1 from placed p join reference r on r.child = p.oid)
      select oid::regclass::text as name from placed join org_table using (oid)
      group by oid order by max(depth), name`,
    values: [],
    read: (rows: { name: string }[]) => rows.map(({ name }) => name),
  }
}
