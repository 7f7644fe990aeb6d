CREATE SEQUENCE "event_log_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "event_log" (
	"org_id" text NOT NULL,
	"position" bigint NOT NULL,
	"seq" bigint DEFAULT nextval('event_log_seq') NOT NULL,
	"at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"type" text NOT NULL,
	"customer_id" uuid,
	"wamid" text,
	"audit_id" uuid,
	"data" json,
	CONSTRAINT "event_log_pkey" PRIMARY KEY("org_id","position","seq","at")
) PARTITION BY RANGE ("at");--> statement-breakpoint
-- Holds the events of days that have no partition, so that no event is ever refused.
CREATE TABLE "event_log_default" PARTITION OF "event_log" DEFAULT;--> statement-breakpoint
-- The position of an event that is written now, when its statement has waited for the row that the event is about: unlike
-- the statement, a volatile function sees what was committed since the statement began.
CREATE FUNCTION "event_position"() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN greatest(pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1);
END $$;--> statement-breakpoint
-- Only the owner of a table may make and drop its partitions, so both are functions of the owner.
-- Makes the partitions of yesterday to a week ahead, as UTC days. A day of which the default partition has events keeps to it.
-- A table that is attached locks only the default partition against others, so nothing that is logged waits.
CREATE FUNCTION "make_event_partitions"(as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '1s' SET timezone = 'UTC' AS $$
DECLARE
  day date;
  name text;
  made integer := 0;
BEGIN
  FOR n IN -1..7 LOOP
    day := as_of::date + n;
    name := 'event_log_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    BEGIN
      EXECUTE format('create table %I (like event_log including all)', name);
      EXECUTE format('alter table event_log attach partition %I for values from (%L) to (%L)',
        name, day::timestamptz, (day + 1)::timestamptz);
      made := made + 1;
    EXCEPTION WHEN check_violation OR duplicate_table THEN NULL;
    END;
  END LOOP;
  RETURN made;
END $$;--> statement-breakpoint
-- Drops the partitions of the UTC days before that of `as_of`. Dropping locks the log for a moment, and gives up after a
-- second, because routing waits behind that lock.
CREATE FUNCTION "drop_event_partitions"(as_of timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '1s' SET timezone = 'UTC' AS $$
DECLARE
  old name;
  dropped integer := 0;
BEGIN
  FOR old IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'event_log'::regclass AND c.relname < 'event_log_' || to_char(as_of, 'YYYYMMDD')
      AND c.relname ~ '^event_log_[0-9]{8}$'
  LOOP
    EXECUTE format('drop table %I', old);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "make_event_partitions", "drop_event_partitions" FROM PUBLIC;--> statement-breakpoint
SELECT make_event_partitions(now());
