-- The ledger has a partition for each UTC month of the time of its messages. The rows that exist are moved by
-- src/db/move-messages.ts, in batches, after this migration: until then they are in messages_unmoved.
ALTER TABLE "messages" RENAME TO "messages_unmoved";--> statement-breakpoint
ALTER TABLE "messages_unmoved" DROP CONSTRAINT "messages_land_with_their_own_sender_and_number";--> statement-breakpoint
ALTER TABLE "messages_unmoved" DROP CONSTRAINT "messages_pkey";--> statement-breakpoint
DROP INDEX "messages_chatroom", "messages_in_no_room", "messages_held", "messages_sent_id", "messages_one_retry", "messages_failed",
  "messages_routed";--> statement-breakpoint
CREATE TABLE "messages" (LIKE "messages_unmoved" INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE ("sent_at");--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_land_with_their_own_sender_and_number"
  FOREIGN KEY ("org_id","chatroom_id","customer_id","waba_phone_id")
  REFERENCES "public"."chatrooms"("org_id","id","customer_id","waba_phone_id");--> statement-breakpoint
CREATE INDEX "messages_chatroom" ON "messages" USING btree ("org_id","chatroom_id","sent_at","seq");--> statement-breakpoint
CREATE INDEX "messages_in_no_room" ON "messages" USING btree ("org_id","waba_phone_id","customer_id") WHERE chatroom_id is null;--> statement-breakpoint
CREATE INDEX "messages_held" ON "messages" USING btree ("org_id","sent_at","seq","wamid") WHERE route = 'held' and chatroom_id is null;--> statement-breakpoint
CREATE INDEX "messages_failed" ON "messages" USING btree ("org_id","sent_at") WHERE status = 'failed';--> statement-breakpoint
CREATE INDEX "messages_routed" ON "messages" USING btree ("org_id","seq") WHERE route is not null;--> statement-breakpoint
-- Holds the messages of months that have no partition, so that none is ever refused. It is unique by month, as the
-- partitions are: a key of all its rows would refuse a wamid that routing does not look for in another month.
CREATE TABLE "messages_default" PARTITION OF "messages" DEFAULT;--> statement-breakpoint
CREATE UNIQUE INDEX "messages_default_once" ON "messages_default"
  ("org_id", "wamid", date_trunc('month', "sent_at" at time zone 'UTC'));--> statement-breakpoint
CREATE UNIQUE INDEX "messages_default_sent_id" ON "messages_default" ("org_id", "outbox_id") WHERE outbox_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "messages_default_one_retry" ON "messages_default" ("org_id", "retry_of") WHERE retry_of is not null;--> statement-breakpoint
CREATE INDEX "messages_default_times" ON "messages_default" ("sent_at");--> statement-breakpoint
-- An index over an expression can not identify rows to a subscriber of logical replication.
ALTER TABLE "messages_default" REPLICA IDENTITY FULL;--> statement-breakpoint
-- Only the owner of a table may make its partitions, so both functions are of the owner.
-- Makes the partition of a month, and returns whether it is there. Its messages that are in the default partition move into it, if they are at most `most`
-- (null: any number). Attaching a partition needs locks that make routing wait, on the default partition and, for the
-- foreign key, on the chatrooms: it gives up after 100 ms, before routing could be found in a deadlock with it.
CREATE FUNCTION "make_month_of_messages"(first date, most integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '100ms' SET timezone = 'UTC' AS $$
DECLARE
  name text := 'messages_' || to_char(first, 'YYYYMM');
  since timestamptz := first::timestamptz;
  until timestamptz := (first + interval '1 month')::timestamptz;
  waiting bigint;
BEGIN
  IF to_regclass(name) IS NOT NULL THEN RETURN true; END IF;
  SELECT count(*) INTO waiting FROM (
    SELECT FROM messages_default WHERE sent_at >= since AND sent_at < until LIMIT most + 1) w;
  IF waiting > most THEN RETURN false; END IF;
  EXECUTE format('create table %I (like messages including all)', name);
  EXECUTE format('alter table %I add constraint %I primary key (org_id, wamid)', name, name || '_pkey');
  EXECUTE format('create unique index %I on %I (org_id, outbox_id) where outbox_id is not null', name || '_sent_id', name);
  EXECUTE format('create unique index %I on %I (org_id, retry_of) where retry_of is not null', name || '_one_retry', name);
  LOCK TABLE messages_default IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('with moved as (delete from messages_default where sent_at >= $1 and sent_at < $2 returning *)
    insert into %I select * from moved', name) USING since, until;
  EXECUTE format('alter table messages attach partition %I for values from (%L) to (%L)', name, since, until);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN RETURN false;
END $$;--> statement-breakpoint
-- Makes one partition that is missing: of a month from the last one to the second next, or of a month of the last ten years
-- that has messages in the default partition. Returns whether it made one. Only one process makes partitions at a time.
CREATE FUNCTION "make_message_partition"(as_of timestamptz, most integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
DECLARE
  first date;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('make_message_partition')) THEN RETURN false; END IF;
  FOR ahead IN REVERSE 2..-120 LOOP
    first := date_trunc('month', as_of) + make_interval(months => ahead);
    CONTINUE WHEN to_regclass('messages_' || to_char(first, 'YYYYMM')) IS NOT NULL;
    CONTINUE WHEN ahead < -1 AND NOT EXISTS (
      SELECT FROM messages_default WHERE sent_at >= first::timestamptz AND sent_at < (first + interval '1 month')::timestamptz);
    IF make_month_of_messages(first, most) THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "make_month_of_messages", "make_message_partition" FROM PUBLIC;--> statement-breakpoint
SELECT make_message_partition(now(), NULL) FROM generate_series(1, 4);--> statement-breakpoint
-- Nothing but the move may write until it has ended: routing would not find the messages that are still to be moved. The
-- error passes, and no delivery becomes a dead letter of it.
CREATE FUNCTION "ledger_is_being_moved"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('usher.moves_messages', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'the messages are being moved into partitions: npm run migrate' USING ERRCODE = 'object_in_use';
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER "messages_are_being_moved" BEFORE INSERT OR UPDATE OR DELETE ON "messages" FOR EACH STATEMENT
  EXECUTE FUNCTION "ledger_is_being_moved"();--> statement-breakpoint
-- The new table has the rights of the old one. A table without rows is not moved.
DO $$
DECLARE
  given record;
BEGIN
  FOR given IN
    SELECT a.privilege_type, CASE a.grantee WHEN 0 THEN 'public' ELSE a.grantee::regrole::text END AS grantee
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'messages_unmoved'::regclass AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('grant %s on messages, messages_default to %s', given.privilege_type, given.grantee);
  END LOOP;
  IF NOT EXISTS (SELECT FROM messages_unmoved) THEN
    DROP FUNCTION ledger_is_being_moved CASCADE;
    DROP TABLE messages_unmoved;
  END IF;
END $$;
