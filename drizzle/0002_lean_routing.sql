-- A message into an active chatroom, by far the most frequent write, must touch no index of chatrooms. The day that
-- deactivate-inactive searches by is therefore not computed for each of them any more: the sweep brings it forward.
ALTER TABLE "chatrooms" ALTER COLUMN "activity_day" DROP EXPRESSION;--> statement-breakpoint
ALTER TABLE "chatrooms" ALTER COLUMN "activity_day" SET DEFAULT (now() at time zone 'UTC')::date;--> statement-breakpoint
-- The expiry rule counts from the contact's creation: kept in the chatroom, routing reads one table less.
ALTER TABLE "chatrooms" ADD COLUMN "contact_created_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
UPDATE chatrooms r SET contact_created_at = c.created_at FROM contacts c WHERE c.org_id = r.org_id AND c.id = r.contact_id;--> statement-breakpoint
CREATE FUNCTION chatroom_counts_from() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT created_at INTO NEW.contact_created_at FROM contacts WHERE org_id = NEW.org_id AND id = NEW.contact_id;
    -- Without a contact the foreign key refuses the row, and says it better.
    NEW.contact_created_at := coalesce(NEW.contact_created_at, now());
  END IF;
  NEW.activity_day := (greatest(NEW.last_inbound_at, NEW.activated_at) at time zone 'UTC')::date;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER chatrooms_created BEFORE INSERT ON chatrooms FOR EACH ROW EXECUTE FUNCTION chatroom_counts_from();
--> statement-breakpoint
CREATE TRIGGER chatrooms_activity_moved BEFORE UPDATE OF activated_at, last_inbound_at ON chatrooms FOR EACH ROW
  WHEN (NEW.activated_at <> OLD.activated_at OR NEW.last_inbound_at < OLD.last_inbound_at)
  EXECUTE FUNCTION chatroom_counts_from();
--> statement-breakpoint
CREATE FUNCTION chatrooms_follow_their_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE chatrooms SET contact_created_at = NEW.created_at WHERE org_id = NEW.org_id AND contact_id = NEW.id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER contacts_created_at_moved AFTER UPDATE OF created_at ON contacts FOR EACH ROW
  WHEN (NEW.created_at <> OLD.created_at) EXECUTE FUNCTION chatrooms_follow_their_contact();
