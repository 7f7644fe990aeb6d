ALTER TABLE "erasures" DROP CONSTRAINT "erasures_name_nobody_at_the_end";--> statement-breakpoint
ALTER TABLE "orgs" ADD COLUMN "retention_days" integer;--> statement-breakpoint
ALTER TABLE "orgs" ADD COLUMN "event_retention_days" integer;--> statement-breakpoint
ALTER TABLE "erasures" ADD CONSTRAINT "erasures_name_nobody_at_the_end" CHECK ("erasures"."finished_at" is null or "erasures"."person" is null);--> statement-breakpoint
ALTER TABLE "orgs" ADD CONSTRAINT "orgs_retention_days_positive" CHECK ("orgs"."retention_days" > 0 and "orgs"."event_retention_days" > 0);--> statement-breakpoint
-- Only the owner of a table may drop its partitions, so this is a function of the owner. Drops a partition of the ledger if no
-- org keeps messages of its month any more; returns whether it did. Routing waits behind its locks, on the ledger and then, for
-- the foreign key, on the chatrooms: it gives up each after 20 ms.
CREATE FUNCTION "drop_message_partition"(part text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '20ms' SET timezone = 'UTC' AS $$
BEGIN
  IF part !~ '^messages_[0-9]{6}$' OR to_regclass(part) IS NULL OR NOT EXISTS (SELECT FROM orgs) OR EXISTS (
    SELECT FROM orgs WHERE retention_days IS NULL
      OR part >= 'messages_' || to_char(now() - make_interval(days => retention_days), 'YYYYMM'))
  THEN RETURN false;
  END IF;
  EXECUTE format('drop table %I', part);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN RETURN false;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "drop_message_partition" FROM PUBLIC;
