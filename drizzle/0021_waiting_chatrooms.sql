CREATE TABLE "waiting_chatrooms" (
	"org_id" text NOT NULL,
	"chatroom_id" uuid NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "waiting_chatrooms_pkey" PRIMARY KEY("org_id","chatroom_id")
);
--> statement-breakpoint
DROP INDEX "chatrooms_assigned";--> statement-breakpoint
CREATE INDEX "waiting_chatrooms_since" ON "waiting_chatrooms" USING btree ("org_id","since","chatroom_id");--> statement-breakpoint
CREATE INDEX "chatrooms_assigned" ON "chatrooms" USING btree ("org_id","assigned_user_id","id") WHERE assigned_user_id is not null and expired_at is null and deactivated_at is null;--> statement-breakpoint
-- Rows come and go as in the inbox: vacuum by their number, not by a share of the table.
ALTER TABLE waiting_chatrooms SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
--> statement-breakpoint
CREATE FUNCTION chatroom_waits_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM waiting_chatrooms WHERE org_id = NEW.org_id AND chatroom_id = NEW.id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER chatrooms_ended AFTER UPDATE OF deactivated_at, expired_at ON chatrooms FOR EACH ROW
  WHEN (OLD.deactivated_at IS NULL AND OLD.expired_at IS NULL
    AND (NEW.deactivated_at IS NOT NULL OR NEW.expired_at IS NOT NULL))
  EXECUTE FUNCTION chatroom_waits_no_more();
--> statement-breakpoint
-- What waits at the time of the upgrade. Its first message without an answer is not looked for: the last one stands for it.
INSERT INTO waiting_chatrooms (org_id, chatroom_id, since)
SELECT r.org_id, r.id, l.sent_at FROM chatrooms r
CROSS JOIN LATERAL (
  SELECT direction, route, sent_at FROM messages m WHERE m.org_id = r.org_id AND m.chatroom_id = r.id
  ORDER BY m.sent_at DESC, m.seq DESC LIMIT 1) l
WHERE r.expired_at IS NULL AND r.deactivated_at IS NULL AND l.direction = 'in' AND l.route IS NOT NULL;
