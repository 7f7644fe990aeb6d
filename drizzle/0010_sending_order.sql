CREATE TABLE "outbox_pairs" (
	"org_id" text NOT NULL,
	"customer_id" uuid NOT NULL,
	"waba_phone_id" text NOT NULL,
	"due_at" timestamp (3) with time zone,
	"version" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "outbox_pairs_pkey" PRIMARY KEY("org_id","customer_id","waba_phone_id")
);
--> statement-breakpoint
DROP INDEX "outbox_due";--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "origin" text;--> statement-breakpoint
UPDATE "outbox" o SET "origin" = CASE WHEN m."reason" = 'sent by a campaign' THEN 'CAMPAIGN' ELSE 'AGENT' END
  FROM "messages" m WHERE o."kind" = 'message' AND o."state" IN ('queued', 'sending')
    AND m."org_id" = o."org_id" AND m."wamid" = 'outbox:' || o."id";--> statement-breakpoint
-- Rows that wait keep the order in which they were accepted.
ALTER TABLE "outbox" ADD COLUMN "position" bigint;--> statement-breakpoint
UPDATE "outbox" o SET "position" = n."position"
  FROM (SELECT "org_id", "id", row_number() OVER (ORDER BY "created_at", "id") AS "position" FROM "outbox") n
  WHERE n."org_id" = o."org_id" AND n."id" = o."id";--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "position" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (sequence name "outbox_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1);--> statement-breakpoint
SELECT setval('outbox_position_seq', (SELECT coalesce(max("position"), 0) + 1 FROM "outbox"));--> statement-breakpoint
-- Several sends of a pair may be under way. The later ones become unknown, which still takes Meta's answer.
UPDATE "outbox" o SET "state" = 'unknown', "error" = 'under way while Usher was updated'
  WHERE o."state" = 'sending' AND EXISTS (
    SELECT FROM "outbox" e WHERE e."org_id" = o."org_id" AND e."customer_id" = o."customer_id"
      AND e."waba_phone_id" = o."waba_phone_id" AND e."state" = 'sending' AND e."position" < o."position");--> statement-breakpoint
CREATE INDEX "outbox_pairs_due" ON "outbox_pairs" USING btree ("org_id","waba_phone_id","due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "outbox_order" ON "outbox" USING btree ("org_id","customer_id","waba_phone_id","kind" DESC NULLS FIRST,"position") WHERE state = 'queued';--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_one_sending" ON "outbox" USING btree ("org_id","customer_id","waba_phone_id") WHERE state = 'sending';--> statement-breakpoint
CREATE INDEX "outbox_free_text" ON "outbox" USING btree ("created_at") WHERE state = 'queued' and payload ->> 'type' <> 'template';--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_origin_known" CHECK ("outbox"."origin" in ('AGENT', 'CAMPAIGN'));--> statement-breakpoint
-- A pair with something queued is due, unless a message of it is under way. The row of the pair is locked before the
-- outbox is read, so that the last of several transactions sees what all of them wrote.
CREATE FUNCTION make_outbox_pairs_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox_pairs (org_id, customer_id, waba_phone_id)
    SELECT DISTINCT org_id, customer_id, waba_phone_id FROM changed ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING;
  PERFORM FROM (SELECT DISTINCT org_id, customer_id, waba_phone_id FROM changed) c
    JOIN outbox_pairs q USING (org_id, customer_id, waba_phone_id)
    ORDER BY q.org_id, q.customer_id, q.waba_phone_id FOR UPDATE OF q;
  UPDATE outbox_pairs q SET version = q.version + 1, due_at = CASE
      WHEN EXISTS (SELECT FROM outbox s WHERE s.org_id = q.org_id AND s.customer_id = q.customer_id
        AND s.waba_phone_id = q.waba_phone_id AND s.state = 'sending') THEN NULL
      WHEN EXISTS (SELECT FROM outbox s WHERE s.org_id = q.org_id AND s.customer_id = q.customer_id
        AND s.waba_phone_id = q.waba_phone_id AND s.state = 'queued') THEN now() END
    FROM (SELECT DISTINCT org_id, customer_id, waba_phone_id FROM changed) c
    WHERE q.org_id = c.org_id AND q.customer_id = c.customer_id AND q.waba_phone_id = c.waba_phone_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER outbox_insert_makes_pairs_due AFTER INSERT ON outbox REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION make_outbox_pairs_due();
--> statement-breakpoint
CREATE TRIGGER outbox_update_makes_pairs_due AFTER UPDATE ON outbox REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION make_outbox_pairs_due();
--> statement-breakpoint
INSERT INTO outbox_pairs (org_id, customer_id, waba_phone_id, due_at)
  SELECT DISTINCT org_id, customer_id, waba_phone_id, now() FROM outbox WHERE state = 'queued';
