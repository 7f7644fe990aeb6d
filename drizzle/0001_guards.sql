-- Expired is final: no statement, ours or a human's, takes a chatroom or contact back or moves its expiry.
CREATE FUNCTION expired_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% % is expired, and expired is final', TG_TABLE_NAME, OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'expired_is_final';
END $$;
--> statement-breakpoint
CREATE TRIGGER chatrooms_expired_is_final BEFORE UPDATE OF expired_at ON chatrooms FOR EACH ROW
  WHEN (OLD.expired_at IS NOT NULL AND NEW.expired_at IS DISTINCT FROM OLD.expired_at)
  EXECUTE FUNCTION expired_is_final();
--> statement-breakpoint
CREATE TRIGGER contacts_expired_is_final BEFORE UPDATE OF expired_at ON contacts FOR EACH ROW
  WHEN (OLD.expired_at IS NOT NULL AND NEW.expired_at IS DISTINCT FROM OLD.expired_at)
  EXECUTE FUNCTION expired_is_final();
--> statement-breakpoint
-- Every inbox row is soon deleted: vacuum early by row count, not by share of the table.
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_vacuum_cost_delay = 0);
--> statement-breakpoint
-- last_inbound_at moves with every message and no index has it: leave room for HOT updates.
ALTER TABLE chatrooms SET (fillfactor = 80);
--> statement-breakpoint
-- Counting a user's active chatrooms over chatroom_members took 300 ms at 100,000 chatrooms: the room knows its user.
CREATE FUNCTION chatroom_follows_its_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE chatrooms SET assigned_user_id = NEW.user_id WHERE org_id = NEW.org_id AND id = NEW.chatroom_id;
  ELSE
    UPDATE chatrooms SET assigned_user_id = NULL
      WHERE org_id = OLD.org_id AND id = OLD.chatroom_id AND assigned_user_id = OLD.user_id;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER chatroom_members_assign AFTER INSERT OR DELETE ON chatroom_members FOR EACH ROW
  EXECUTE FUNCTION chatroom_follows_its_members();
